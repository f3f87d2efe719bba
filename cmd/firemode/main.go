// Command firemode is FireMode: the HTTP API and the command line to set it up, in one binary. `firemode --help` explains
// itself. Main only exits; run does the rest, so that tests run the program as it is.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"firemode"
	"firemode/internal/app"
)

func main() {
	app.TuneMemory(os.Getenv)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// Once the first signal has asked for a graceful stop, the next one ends the process as if nobody listened.
	context.AfterFunc(ctx, stop)
	err := run(ctx, os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr)
	os.Exit(exitCode(err, os.Stderr))
}

// exitCode says on stderr what went wrong: 2 is for a command line that makes no sense, 1 for everything else.
func exitCode(err error, stderr io.Writer) int {
	if err == nil {
		return 0
	}
	fmt.Fprintf(stderr, "firemode: %s\n", explain(err))
	var usage *usageError
	if errors.As(err, &usage) {
		return 2
	}
	return 1
}

// explain puts an error into words for whoever typed the command: of one that was foreseen, what it says to users; of any
// other, everything that is known.
func explain(err error) string {
	var foreseen *firemode.Error
	if !errors.As(err, &foreseen) || foreseen.Code == firemode.CodeInternal || foreseen.Code == firemode.CodeUnavailable {
		return err.Error()
	}
	lines := []string{foreseen.Message}
	for _, d := range foreseen.Details {
		if line := d.Field + ": " + d.Reason; line != foreseen.Message {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n  ")
}

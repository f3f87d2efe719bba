// Command firemode is the FireMode server and its command line in one binary; see `firemode
// --help`. This package holds the flags, the subcommands and the parsing of settings. Package app
// builds and runs the node. main only exits; run does the rest, so that tests can run the program
// in their own process.
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
	// The first signal begins a graceful stop; the second ends the process, because nothing handles
	// it any more.
	context.AfterFunc(ctx, stop)
	err := run(ctx, os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr)
	os.Exit(exitCode(err, os.Stderr))
}

// exitCode prints the error and returns the exit code: 0 without an error, 2 for an invalid command
// line, 1 for any other error.
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

// explain returns the message of an error for the operator. An error with a code has a message and
// details for users; of internal errors, and of a database that is down, the operator sees the
// whole chain.
func explain(err error) string {
	var known *firemode.Error
	if !errors.As(err, &known) || known.Code == firemode.CodeInternal || known.Code == firemode.CodeUnavailable {
		return err.Error()
	}
	lines := []string{known.Message}
	for _, d := range known.Details {
		if line := d.Field + ": " + d.Reason; line != known.Message {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n  ")
}

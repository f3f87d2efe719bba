// Command firemode is FireMode: the HTTP API and the command line to set it up, in one binary. `firemode --help` explains
// itself. Main only exits; run does the rest, so that tests run the program as it is.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// Once the first signal has asked for a graceful stop, the next one ends the process as if nobody listened.
	context.AfterFunc(ctx, stop)
	os.Exit(exitCode(run(ctx, os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr)))
}

// exitCode says on stderr what went wrong: 2 is for a command line that makes no sense, 1 for everything else.
func exitCode(err error) int {
	if err == nil {
		return 0
	}
	fmt.Fprintf(os.Stderr, "firemode: %v\n", err)
	var usage *usageError
	if errors.As(err, &usage) {
		return 2
	}
	return 1
}

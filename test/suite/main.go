// Command suite runs go test and prints the slowest tests at the end.
//
//	go run ./test/suite PASS [-- PASS]...
//
// Each PASS is the arguments of one go test. The passes run one after the other, all of them even
// if one fails, and share one executable of FireMode and one PostgreSQL cluster; both are gone when
// suite ends, however it ends. Failures are printed in full. The last line is "N passed, N failed,
// N skipped". The exit code is 1 if anything failed.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"firemode/internal/store/storetest/pgtest"
	"firemode/test/binary"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "suite:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) (err error) {
	start := time.Now()
	dir, err := os.MkdirTemp("", "firemode-suite-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := os.Chmod(dir, 0o711); err != nil { // tests also run the executable as another user
		return err
	}
	path, err := binary.Build(dir)
	if err != nil {
		return err
	}
	cluster, err := pgtest.Start(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cluster.Stop()) }()
	// Without the setting the race detector sleeps for a second at the end of each process.
	env := append(os.Environ(), binary.Env(path), cluster.Env(), "GORACE=atexit_sleep_ms=0 "+os.Getenv("GORACE"))
	r := newReport(out)
	for _, pass := range split(args) {
		if ctx.Err() != nil {
			break
		}
		err = errors.Join(err, runPass(ctx, pass, env, r))
	}
	r.finish(time.Since(start))
	return err
}

// runPass runs go test once. Its error is nil if everything passed.
func runPass(ctx context.Context, args, env []string, r *report) error {
	test := exec.CommandContext(ctx, "go", append([]string{"test", "-json"}, args...)...)
	test.Cancel = func() error { return test.Process.Signal(os.Interrupt) }
	test.Env, test.Stderr = env, os.Stderr
	events, err := test.StdoutPipe()
	if err != nil {
		return err
	}
	if err := test.Start(); err != nil {
		return err
	}
	err = r.read(events)
	if waited := test.Wait(); waited != nil {
		err = errors.Join(err, fmt.Errorf("go test: %w", waited))
	}
	return err
}

// split cuts args at each "--".
func split(args []string) [][]string {
	var passes [][]string
	for {
		end := slices.Index(args, "--")
		if end < 0 {
			return append(passes, args)
		}
		passes, args = append(passes, args[:end]), args[end+1:]
	}
}

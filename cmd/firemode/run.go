package main

import (
	"context"
	"io"
	"text/tabwriter"
	"time"

	"github.com/alecthomas/kong"
)

// program is one run of the command line: what it was given, and where it reads and writes.
type program struct {
	storage  Storage
	parsed   *kong.Context
	settings *settings
	now      func() time.Time
	stdin    io.Reader
	stdout   io.Writer
	stderr   io.Writer
	hooks    hooks
}

// run is the whole program. args are without the program's name; env is as of os.Environ. It returns when the command is
// done, or when ctx ends and the command has stopped.
func run(ctx context.Context, args, env []string, stdin io.Reader, stdout, stderr io.Writer) error {
	return runHooked(ctx, hooks{}, args, env, stdin, stdout, stderr)
}

// runHooked is run with a test's hooks.
func runHooked(ctx context.Context, h hooks, args, env []string, stdin io.Reader, stdout, stderr io.Writer) error {
	root, parsed, values, err := parse(args, env, stdout, stderr)
	if err != nil || parsed == nil {
		return err
	}
	p := &program{
		storage: root.Storage, parsed: parsed, settings: values,
		now: time.Now, stdin: stdin, stdout: stdout, stderr: stderr, hooks: h,
	}
	parsed.BindTo(ctx, (*context.Context)(nil))
	return parsed.Run(p)
}

// table prints rows in columns; the first one is the heading.
func (p *program) table(rows [][]string) error {
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		for i, cell := range row {
			if i > 0 {
				io.WriteString(w, "\t") //nolint:errcheck // Flush says what went wrong
			}
			io.WriteString(w, cell) //nolint:errcheck // Flush says what went wrong
		}
		io.WriteString(w, "\n") //nolint:errcheck // Flush says what went wrong
	}
	return w.Flush()
}

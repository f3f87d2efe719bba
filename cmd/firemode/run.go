package main

import (
	"context"
	"io"
	"text/tabwriter"
	"time"

	"github.com/alecthomas/kong"

	"firemode/internal/app"
)

// program is one run of the command line: what it was given, and where it reads and writes.
type program struct {
	storage  app.Storage
	parsed   *kong.Context
	settings *settings
	now      func() time.Time
	stdin    io.Reader
	stdout   io.Writer
	stderr   io.Writer
}

// run is the whole program. args are without the program's name; env is as of os.Environ. It returns when the command is
// done, or when ctx ends and the command has stopped.
func run(ctx context.Context, args, env []string, stdin io.Reader, stdout, stderr io.Writer) error {
	root, parsed, values, err := parse(args, env, stdout, stderr)
	if err != nil || parsed == nil {
		return err
	}
	p := &program{
		storage: app.Storage(root.Storage), parsed: parsed, settings: values,
		now: time.Now, stdin: stdin, stdout: stdout, stderr: stderr,
	}
	parsed.BindTo(ctx, (*context.Context)(nil))
	return parsed.Run(p)
}

// use runs a command's work on the services. A server may be running on the same data.
func (p *program) use(ctx context.Context, work func(*app.Services) error) error {
	return app.Use(ctx, p.storage, p.now, work)
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

package main

import (
	"context"
	"io"
	"text/tabwriter"
	"time"

	"github.com/alecthomas/kong"

	"firemode/internal/app"
)

// program is one run of the command line: its settings, input and outputs.
type program struct {
	storage  app.Storage
	parsed   *kong.Context
	settings *settings
	now      func() time.Time
	stdin    io.Reader
	stdout   io.Writer
	stderr   io.Writer
}

// run runs the program. args do not include the name of the program; env has the form of
// os.Environ. It returns when the command is done, or when ctx ends and the command has stopped.
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

// table prints rows in columns; the first row is the heading.
func (p *program) table(rows [][]string) error {
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		for i, cell := range row {
			if i > 0 {
				io.WriteString(w, "\t") //nolint:errcheck // Flush returns the error
			}
			io.WriteString(w, cell) //nolint:errcheck // Flush returns the error
		}
		io.WriteString(w, "\n") //nolint:errcheck // Flush returns the error
	}
	return w.Flush()
}

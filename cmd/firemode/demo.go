package main

import (
	"context"
	"fmt"
	"io"

	"firemode/internal/seed"
)

type demoCommand struct {
	Server
}

func (demoCommand) Help() string {
	return `An empty data folder is filled with a building of real size, its rules and visits, and users whose password everybody knows. A
folder that already has data is kept as it is. Do not put it where others can reach it. Examples:

    firemode demo
    firemode demo --addr localhost:9000 --data /tmp/firemode-demo`
}

// Run fills the data folder if it is empty, and serves it until ctx ends.
func (c demoCommand) Run(ctx context.Context, p *program) error {
	fill := func(ctx context.Context, s *services) error {
		if err := s.fillDemo(ctx, p.stdout); err != nil {
			return fmt.Errorf("demo data: %w", err)
		}
		return nil
	}
	return p.serve(ctx, c.Server, fill, demoLogins)
}

const demoLogins = `log in as admin@demo, manager@demo, tech1@demo, tech2@demo, engineer@demo or owner@demo,
or in the other organisation as admin@other or tech1@other; the password is ` + seed.Password + `
`

// fillDemo puts the demo data into an empty database, with one line of progress per step.
func (s *services) fillDemo(ctx context.Context, w io.Writer) error {
	return seed.Demo(ctx, seed.Services{Auth: s.auth, Catalogue: s.catalogue, Buildings: s.buildings, Sessions: s.sessions},
		func(line string) { fmt.Fprintln(w, line) })
}

package main

import (
	"context"
	"fmt"

	"firemode/internal/app"
	"firemode/internal/seed"
)

type demoCommand struct {
	Server `group:"Server"`
}

func (demoCommand) Help() string {
	return `demo fills an empty data folder with a building of realistic size, its rules and visits, and users with a
known password. A data folder that already has data stays unchanged. Do not expose it to other people. Examples:

    firemode demo
    firemode demo --addr localhost:9000 --data /tmp/firemode-demo`
}

// Run fills the data folder if it is empty, and serves it until ctx ends.
func (c demoCommand) Run(ctx context.Context, p *program) error {
	config := p.node(c.Server, demoLogins)
	config.Fill = func(ctx context.Context, s *app.Services) error {
		return s.FillDemo(ctx, func(line string) { fmt.Fprintln(p.stdout, line) })
	}
	return app.Run(ctx, config)
}

const demoLogins = `log in as admin@demo, manager@demo, tech1@demo, tech2@demo, engineer@demo or owner@demo,
or in the other organisation as admin@other or tech1@other; the password is ` + seed.Password + `
`

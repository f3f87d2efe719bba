package main

import (
	"fmt"

	"firemode/internal/app"
)

type versionCommand struct{}

func (versionCommand) Help() string {
	return `The version comes from git at build time. Example:

    firemode version`
}

// Run prints the version, the commit and the Go release.
func (versionCommand) Run(p *program) error {
	_, err := fmt.Fprintln(p.stdout, "firemode "+app.Version())
	return err
}

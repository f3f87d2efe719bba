package main

import (
	"fmt"

	"firemode/internal/app"
)

type versionCommand struct{}

func (versionCommand) Help() string {
	return `The version is the one git knew when the binary was built. Example:

    firemode version`
}

// Run prints the version, the commit and the Go release.
func (versionCommand) Run(p *program) error {
	_, err := fmt.Fprintln(p.stdout, "firemode "+app.Version())
	return err
}

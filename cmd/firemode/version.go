package main

import (
	"fmt"
	"runtime/debug"
)

type versionCommand struct{}

func (versionCommand) Help() string {
	return `The version is the one git knew when the binary was built. Example:

    firemode version`
}

// Run prints the version, the commit and the Go release.
func (versionCommand) Run(p *program) error {
	_, err := fmt.Fprintln(p.stdout, "firemode "+versionOf(debug.ReadBuildInfo()))
	return err
}

// versionOf puts the build information on one line. Without git at build time there is no more to say than "(devel)".
func versionOf(info *debug.BuildInfo, ok bool) string {
	if !ok {
		return "(unknown)"
	}
	line := info.Main.Version
	if line == "" {
		line = "(devel)"
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			line += " commit " + s.Value
		case "vcs.time":
			line += " of " + s.Value
		}
	}
	return line + " " + info.GoVersion
}

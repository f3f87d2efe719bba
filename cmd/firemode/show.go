package main

import (
	"fmt"
	"net/url"
	"slices"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"
)

// configCommand takes the flags of serve, so that it shows the settings that serve would use.
type configCommand struct {
	Server `group:"Server"`
}

func (configCommand) Help() string {
	return `This prints the settings that serve would use, as a configuration file; the comment behind each value is
its origin. Passwords are hidden. An empty environment variable counts as unset. Tracing is configured by the standard
OTEL_* variables; see "firemode serve --help". Examples:

    firemode config
    FIREMODE_ADDR=:80 firemode config --config /etc/firemode.yaml
    firemode config > firemode.yaml`
}

// Run prints one line per setting.
func (configCommand) Run(p *program) error {
	for _, flag := range p.parsed.Flags() {
		if !slices.Contains(p.settings.names, flag.Name) {
			continue
		}
		value := p.parsed.FlagValue(flag)
		switch flag.Name {
		case "keys":
			value = p.storage.KeysDir()
		case "db-url":
			value = withoutPassword(p.storage.DBURL)
		}
		text, err := yaml.Marshal(map[string]any{flag.Name: value})
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(p.stdout, "%-40s # %s\n", text[:len(text)-1], p.origin(flag)); err != nil {
			return err
		}
	}
	return nil
}

// origin returns the origin of the value of a setting.
func (p *program) origin(flag *kong.Flag) string {
	if origin, ok := p.settings.origins[flag.Name]; ok {
		return origin
	}
	for _, element := range p.parsed.Path {
		if element.Flag == flag {
			return "flag --" + flag.Name
		}
	}
	return "default"
}

// withoutPassword returns a database URL without secrets: it hides the password, and the
// parameters, which may hold one.
func withoutPassword(dbURL string) string {
	if dbURL == "" {
		return ""
	}
	u, err := url.Parse(dbURL)
	if err != nil || u.Scheme == "" || u.Opaque != "" {
		return "(hidden)"
	}
	if u.RawQuery != "" {
		u.RawQuery = "(hidden)"
	}
	return u.Redacted()
}

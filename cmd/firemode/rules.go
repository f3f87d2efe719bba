package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"firemode"
	"firemode/internal/app"
)

type rulesCommand struct {
	Import rulesImport `cmd:"" help:"Add versions of rules from a catalogue file."`
	List   rulesList   `cmd:"" help:"List the rules in force."`
}

type rulesImport struct {
	File string         `arg:"" help:"Catalogue (JSON); - for the standard input."`
	Org  firemode.OrgID `required:"" placeholder:"ID" help:"Organisation of the rules."`
}

func (rulesImport) Help() string {
	return `An organisation's own rules override the shared catalogue for that organisation only. A version never
changes: importing it twice changes nothing. A different rule under an existing version is an error, and then nothing
is imported. Example:

    firemode rules import --org acme our-rules.json`
}

// Run imports the file.
func (c rulesImport) Run(ctx context.Context, p *program) error {
	file, err := p.open(c.File)
	if err != nil {
		return err
	}
	defer file.Close()
	return p.use(ctx, func(s *app.Services) error {
		created, unchanged, err := s.Catalogue.Import(ctx, c.Org, file)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.stdout, "created %d, unchanged %d\n", created, unchanged)
		return err
	})
}

type rulesList struct {
	Org    firemode.OrgID `placeholder:"ID" help:"Rules of this organisation; by default the shared catalogue."`
	System string         `placeholder:"CODE" help:"Only rules of this system, e.g. FE."`
}

func (rulesList) Help() string {
	return `The highest active version of each rule is in force. Examples:

    firemode rules list --system FE
    firemode rules list --org acme`
}

// Run prints one line per rule.
func (c rulesList) Run(ctx context.Context, p *program) error {
	return p.use(ctx, func(s *app.Services) error {
		if err := s.Catalogue.Seed(ctx); err != nil {
			return err
		}
		set, err := s.Catalogue.RuleSet(ctx, c.Org)
		if err != nil {
			return err
		}
		rows := [][]string{{"CODE", "VERSION", "SYSTEM", "NAME"}}
		for _, r := range set.All() {
			if c.System == "" || c.System == r.System {
				rows = append(rows, []string{string(r.Code), r.Version, r.System, r.Name})
			}
		}
		return p.table(rows)
	})
}

// open opens a file that a command reads; - is the standard input.
func (p *program) open(name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(p.stdin), nil
	}
	return os.Open(name)
}

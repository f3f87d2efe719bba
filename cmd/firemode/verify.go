package main

import (
	"context"
	"errors"
	"fmt"

	"firemode"
	"firemode/internal/app"
	"firemode/internal/record/verify"
)

type verifyCommand struct {
	Org     firemode.OrgID     `placeholder:"ID" help:"Only this organisation."`
	Session firemode.SessionID `placeholder:"ID" help:"Only this session; needs --org unless there is one organisation."`
}

func (verifyCommand) Help() string {
	return `It reads the log of every session, checks the chain of hashes and the signed checkpoint over it, merges the log again in a scratch
database, and compares operations, items, defects, clients and counts with what is stored. It also checks the audit log and the rules, and,
unless one session is asked for, looks for rows that belong to nothing.
It changes nothing, names every difference, and exits 1 if there is one. A server may be running on the same data. Examples:

    firemode verify
    firemode verify --org demo --session 123`
}

// Run verifies and prints what it found.
func (c verifyCommand) Run(ctx context.Context, p *program) error {
	return p.use(ctx, func(s *app.Services) error {
		differences := 0
		v, err := s.Verifier(func(where, what string) {
			differences++
			fmt.Fprintf(p.stdout, "DIFFERS %s: %s\n", where, what)
		}, func(line string) { fmt.Fprintln(p.stdout, line) })
		if err != nil {
			return err
		}
		t, err := v.Run(ctx, verify.Scope{Org: c.Org, Session: c.Session})
		if err != nil {
			return err
		}
		fmt.Fprintf(p.stdout, "verified %d sessions with %d log entries: %d differences\n", t.Sessions, t.Entries, differences)
		if differences > 0 {
			return errors.New("what is stored is not what was recorded")
		}
		return nil
	})
}

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
	Session firemode.SessionID `placeholder:"ID" help:"${help_verify_session}"`
}

func (verifyCommand) Help() string {
	return `For every session, verify checks the hash chain of the log and its signed checkpoint, merges the log in a
scratch database, and compares operations, items, defects, clients and counts with the stored data. It also checks the
audit log and the rules, and, unless --session is given, looks for orphaned rows.

It changes nothing, reports every difference, and exits 1 if there is one. A server may be running on the same data.
Examples:

    firemode verify
    firemode verify --org demo --session 123`
}

// Run verifies the data and prints the differences.
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
		fmt.Fprintf(p.stdout, "verified %d sessions with %d log entries: %d differences\n",
			t.Sessions, t.Entries, differences)
		if differences > 0 {
			return errors.New("the stored data differs from the log")
		}
		return nil
	})
}

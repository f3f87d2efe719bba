package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/mod/sumdb/note"

	"firemode"
	"firemode/internal/ledger"
	"firemode/internal/sessions"
	"firemode/internal/store"
	"firemode/internal/store/sqlite"
)

type verifyCommand struct {
	Org     firemode.OrgID     `placeholder:"ID" help:"Only this organisation."`
	Session firemode.SessionID `placeholder:"ID" help:"Only this session; needs --org unless there is one organisation."`
}

func (verifyCommand) Help() string {
	return `It reads the log of every session, checks the chain of hashes and the signed checkpoint over it, merges the log again in a scratch
database, and compares operations, items, defects, clients and counts with what is stored. It also checks the audit log and the rules.
It changes nothing, names every difference, and exits 1 if there is one. A server may be running on the same data. Examples:

    firemode verify
    firemode verify --org demo --session 123`
}

// verification is one run of the command.
type verification struct {
	*services
	p           *program
	key         note.Verifier
	differences int
	sessions    int
	entries     int64
}

// Run verifies and prints what it found.
func (c verifyCommand) Run(ctx context.Context, p *program) error {
	return p.with(ctx, func(s *services) error {
		key, err := note.NewVerifier(ledger.PublicKey(s.keys.History()))
		if err != nil {
			return err
		}
		v := &verification{services: s, p: p, key: key}
		orgs, err := s.auth.Organisations(ctx)
		if err != nil {
			return err
		}
		for _, org := range orgs {
			if c.Org != "" && org.ID != c.Org {
				continue
			}
			if err := v.organisation(ctx, org.ID, c.Session); err != nil {
				return err
			}
		}
		if c.Session != "" && v.sessions == 0 {
			return fmt.Errorf("there is no session %s", c.Session)
		}
		fmt.Fprintf(p.stdout, "verified %d sessions with %d log entries: %d differences\n", v.sessions, v.entries, v.differences)
		if v.differences > 0 {
			return errors.New("what is stored is not what was recorded")
		}
		return nil
	})
}

func (v *verification) report(where, what string) {
	v.differences++
	fmt.Fprintf(v.p.stdout, "DIFFERS %s: %s\n", where, what)
}

func (v *verification) organisation(ctx context.Context, org firemode.OrgID, only firemode.SessionID) error {
	if only != "" {
		return v.session(ctx, store.SessionRef{Org: org, Session: only})
	}
	if err := v.books(ctx, org); err != nil {
		return err
	}
	const page = 100
	for after := ""; ; {
		var rows []store.Keyed[firemode.Session]
		err := v.store.View(ctx, func(tx store.ReadTx) (err error) {
			rows, err = tx.Sessions(ctx, org, store.SessionFilter{}, store.Page{After: after, Limit: page})
			return err
		})
		if err != nil {
			return err
		}
		for _, r := range rows {
			if err := v.session(ctx, store.SessionRef{Org: org, Session: r.Row.ID}); err != nil {
				return err
			}
			after = r.Key
		}
		if len(rows) < page {
			return nil
		}
	}
}

// books verifies what belongs to the organisation as a whole: its audit log and its rules.
func (v *verification) books(ctx context.Context, org firemode.OrgID) error {
	err := v.store.View(ctx, func(tx store.ReadTx) error {
		n, err := store.CheckAudit(ctx, tx, org, func(e firemode.AuditEntry, what string) {
			v.report(fmt.Sprintf("%s audit entry %d", org, e.Seq), what)
		})
		fmt.Fprintf(v.p.stdout, "%s: %d audit entries\n", org, n)
		return err
	})
	if err != nil {
		return err
	}
	n, err := v.catalogue.Verify(ctx, org, func(r firemode.Rule, what string) {
		v.report(fmt.Sprintf("%s rule %s %s", org, r.Code, r.Version), what)
	})
	fmt.Fprintf(v.p.stdout, "%s: %d rule versions\n", org, n)
	return err
}

func (v *verification) session(ctx context.Context, ref store.SessionRef) error {
	err := v.services.sessions.Verify(ctx, ref, sessions.Verification{
		Key: v.key, Scratch: scratch,
		Report: func(d sessions.Difference) {
			v.report(fmt.Sprintf("%s session %s, %s", ref.Org, ref.Session, d.Where), d.What)
		},
	})
	if firemode.CodeOf(err) == firemode.CodeNotFound && err != nil {
		return nil
	}
	if err != nil {
		return fmt.Errorf("session %s: %w", ref.Session, err)
	}
	return v.store.View(ctx, func(tx store.ReadTx) error {
		head, err := tx.Head(ctx, ref)
		v.sessions++
		v.entries += head.Seq
		fmt.Fprintf(v.p.stdout, "%s: session %s with %d log entries\n", ref.Org, ref.Session, head.Seq)
		return err
	})
}

// scratchStore is a database in a temporary folder, which goes with it.
type scratchStore struct {
	store.Store
	dir string
}

func scratch(ctx context.Context) (store.Store, error) {
	dir, err := os.MkdirTemp("", "firemode-verify-*")
	if err != nil {
		return nil, err
	}
	s, err := sqlite.Open(ctx, sqlite.Config{Path: filepath.Join(dir, "scratch.db"), Scratch: true})
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := s.Migrate(ctx); err != nil {
		return nil, errors.Join(err, s.Close(), os.RemoveAll(dir))
	}
	return scratchStore{s, dir}, nil
}

// Close removes the database.
func (s scratchStore) Close() error { return errors.Join(s.Store.Close(), os.RemoveAll(s.dir)) }

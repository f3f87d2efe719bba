package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/note"

	"firemode"
	"firemode/internal/app"
	"firemode/internal/catalogue"
	"firemode/internal/record/ledger"
	"firemode/internal/sessions"
	"firemode/internal/store"
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

// verification is one run of the command.
type verification struct {
	*app.Services
	p           *program
	key         note.Verifier
	differences int
	sessions    int
	entries     int64
	scratch     app.ScratchStores
}

// Run verifies and prints what it found.
func (c verifyCommand) Run(ctx context.Context, p *program) error {
	return p.use(ctx, func(s *app.Services) error {
		v, err := newVerification(s, p)
		if err != nil {
			return err
		}
		if err := v.everything(ctx, c.Org, c.Session); err != nil {
			return err
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

func newVerification(s *app.Services, p *program) (*verification, error) {
	key, err := note.NewVerifier(ledger.PublicKey(s.Keys.History()))
	return &verification{Services: s, p: p, key: key}, err
}

// everything verifies all organisations, or one, and all sessions, or one.
func (v *verification) everything(ctx context.Context, org firemode.OrgID, session firemode.SessionID) error {
	orgs, err := v.Identity.Organisations(ctx)
	if err != nil {
		return err
	}
	if org != "" {
		orgs = slices.DeleteFunc(orgs, func(o firemode.Organisation) bool { return o.ID != org })
		if len(orgs) == 0 {
			return fmt.Errorf("there is no organisation %s", org)
		}
	}
	if _, err := v.books(ctx, ""); err != nil {
		return err
	}
	for _, o := range orgs {
		if err := v.organisation(ctx, o.ID, session); err != nil {
			return err
		}
	}
	if session != "" {
		return nil // one session is not worth a look at every row
	}
	return v.strays(ctx, org)
}

// strays reports what the walk over organisations and sessions cannot come by, of all organisations or one.
func (v *verification) strays(ctx context.Context, org firemode.OrgID) error {
	return v.Store.View(ctx, func(tx store.ReadTx) error {
		strays, err := store.As[store.OrphanReader](tx).Orphans(ctx)
		for _, s := range strays {
			if org != "" && s.Org != org {
				continue
			}
			v.report(fmt.Sprintf("%s %s", s.Org, s.Table), fmt.Sprintf("rows of %q belong to nothing that is there and listed", s.Owner))
		}
		return err
	})
}

func (v *verification) report(where, what string) {
	v.differences++
	fmt.Fprintf(v.p.stdout, "DIFFERS %s: %s\n", where, what)
}

func (v *verification) organisation(ctx context.Context, org firemode.OrgID, only firemode.SessionID) error {
	told, err := v.books(ctx, org)
	if err != nil {
		return err
	}
	if only != "" {
		return v.only(ctx, ledger.SessionRef{Org: org, Session: only}, told)
	}
	const page = 100
	missing := told.Sessions()
	for after := ""; ; {
		var rows []store.Keyed[firemode.Session]
		err := v.Store.View(ctx, func(tx store.ReadTx) (err error) {
			rows, err = store.As[store.SessionReader](tx).Sessions(ctx, org, store.SessionFilter{}, store.Page{After: after, Limit: page})
			return err
		})
		if err != nil && firemode.CodeOf(err) == firemode.CodeNotFound {
			v.report(string(org)+" sessions", "one is listed and not there, so the rest was not looked at")
			return nil
		}
		if err != nil {
			return v.damaged(string(org), err)
		}
		for _, r := range rows {
			if err := v.session(ctx, ledger.SessionRef{Org: org, Session: r.Row.ID}, told); err != nil {
				return err
			}
			after = r.Key
			delete(missing, r.Row.ID)
		}
		if len(rows) < page {
			break
		}
	}
	for id := range missing {
		v.report(fmt.Sprintf("%s sessions %s", org, id), "it is missing, or not listed: the audit log tells that it was made")
	}
	return nil
}

// only verifies one session, if it is this organisation's.
func (v *verification) only(ctx context.Context, ref ledger.SessionRef, told *sessions.Audited) error {
	err := v.Store.View(ctx, func(tx store.ReadTx) error {
		_, err := store.As[store.SessionReader](tx).Session(ctx, ref.Org, ref.Session)
		return err
	})
	if err != nil && firemode.CodeOf(err) == firemode.CodeNotFound {
		return nil
	}
	return v.session(ctx, ref, told)
}

// damaged reports an error that is about a row which cannot be read, and returns any other.
func (v *verification) damaged(where string, err error) error {
	var damage *store.Damage
	if !errors.As(err, &damage) { // nil too
		return err
	}
	v.report(where+" "+damage.Table, fmt.Sprintf("a row cannot be read, so the rest was not looked at: %v", damage.Err))
	return nil
}

// books verifies what belongs to the organisation as a whole: its audit log and, against it, its rules; with org "" those of the shared
// catalogue. It returns what the former tells of sessions.
func (v *verification) books(ctx context.Context, org firemode.OrgID) (*sessions.Audited, error) {
	name := cmp.Or(string(org), "shared catalogue")
	told, ruled := sessions.NewAudited(), catalogue.NewAudited()
	err := v.Store.View(ctx, func(tx store.ReadTx) error {
		n, err := store.CheckAudit(ctx, tx, org, func(e ledger.AuditEntry, what string) {
			where := fmt.Sprintf("%s audit entry %d", name, e.Seq)
			if e.Seq == 0 {
				where = name + " audit_heads and audit"
			}
			v.report(where, what)
		}, func(e ledger.AuditEntry) {
			told.Add(e)
			ruled.Add(e)
		})
		if err != nil {
			return err
		}
		versions, err := ruled.Verify(ctx, tx, org, func(where, what string) { v.report(name+" "+where, what) })
		fmt.Fprintf(v.p.stdout, "%s: %d audit entries\n%[1]s: %d rule versions\n", name, n, versions)
		return err
	})
	return told, v.damaged(name, err)
}

func (v *verification) session(ctx context.Context, ref ledger.SessionRef, told *sessions.Audited) error {
	err := v.Sessions.Verify(ctx, ref, sessions.Verification{
		Key: v.key, Scratch: v.scratch.New, Audited: told,
		Report: func(d sessions.Difference) {
			v.report(fmt.Sprintf("%s session %s, %s", ref.Org, ref.Session, d.Where), d.What)
		},
	})
	v.sessions++
	if err != nil {
		return fmt.Errorf("session %s: %w", ref.Session, err)
	}
	err = v.Store.View(ctx, func(tx store.ReadTx) error {
		head, err := store.As[store.HeadReader](tx).Head(ctx, ref)
		v.entries += head.Seq
		fmt.Fprintf(v.p.stdout, "%s: session %s with %d log entries\n", ref.Org, ref.Session, head.Seq)
		return err
	})
	var damage *store.Damage
	if errors.As(err, &damage) || err != nil && firemode.CodeOf(err) == firemode.CodeNotFound {
		return nil // Verify has said so
	}
	return err
}

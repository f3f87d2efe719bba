// Package verify proves that what is stored is what was recorded. It recomputes everything that
// follows from a session's log in a scratch store, and the rows of features by their Recomputers.
// It reports every row that differs, is missing or is orphaned, and changes nothing.
//
// A row that cannot be read is a difference, and ends the verification of what it belongs to. The
// cost of verifying a session is linear in its log; its memory does not grow with the log.
package verify

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/note"

	"firemode"
	"firemode/internal/record/merge"
	"firemode/internal/store"
)

// Scratch is a store for one session that no other code uses. Close deletes it.
type Scratch interface {
	store.Store
	Close() error
}

// Verifier verifies a store.
type Verifier struct {
	Store store.Store
	Merge *merge.Service // rebuilds logs, with the consequences of this installation
	Key   note.Verifier  // of the checkpoints
	// Scratch opens an empty store with the newest schema, in which a log is rebuilt.
	Scratch     func(context.Context) (Scratch, error)
	Recomputers []Recomputer
	Report      Report
	Progress    func(line string) // is called with what was verified; nil for no progress
}

// Report is called with each difference. where is the organisation and a place in it, such as "demo
// session 123, batches entry 7"; it names the table.
type Report func(where, what string)

// Totals is how much was verified.
type Totals struct {
	Sessions int
	Entries  int64 // of their logs
}

// Scope is what to verify.
type Scope struct {
	Org     firemode.OrgID     // "" for all
	Session firemode.SessionID // "" for all
}

// Run verifies what is in scope. Differences are no error: it returns one only if the store cannot
// be read, and CodeNotFound for an organisation or session that does not exist. Orphaned rows are
// looked for unless the scope is one session.
func (v *Verifier) Run(ctx context.Context, in Scope) (t Totals, err error) {
	orgs, err := v.organisations(ctx, in.Org)
	if err != nil {
		return t, err
	}
	if _, err := v.auditLog(ctx, ""); err != nil {
		return t, err
	}
	for _, org := range orgs {
		if err := v.organisation(ctx, org, in.Session, &t); err != nil {
			return t, err
		}
	}
	if in.Session == "" {
		return t, v.orphans(ctx, in.Org)
	}
	if t.Sessions == 0 {
		return t, firemode.NotFound("there is no session %s", in.Session)
	}
	return t, nil
}

func (v *Verifier) organisations(ctx context.Context, only firemode.OrgID) (ids []firemode.OrgID, err error) {
	err = v.Store.View(ctx, func(tx store.ReadTx) error {
		all, err := store.As[store.OrganisationReader](tx).Organisations(ctx)
		for _, o := range all {
			if only == "" || o.ID == only {
				ids = append(ids, o.ID)
			}
		}
		return err
	})
	if err == nil && only != "" && len(ids) == 0 {
		err = firemode.NotFound("there is no organisation %s", only)
	}
	return ids, err
}

// orphans reports the rows that are not reached from organisations and sessions.
func (v *Verifier) orphans(ctx context.Context, only firemode.OrgID) error {
	return v.Store.View(ctx, func(tx store.ReadTx) error {
		orphans, err := store.As[store.OrphanReader](tx).Orphans(ctx)
		for _, o := range orphans {
			if only == "" || o.Org == only {
				v.Report(fmt.Sprintf("%s %s", o.Org, o.Table),
					fmt.Sprintf("orphaned rows: their owner %q does not exist or is in no list", o.Owner))
			}
		}
		return err
	})
}

func (v *Verifier) progress(format string, args ...any) {
	if v.Progress != nil {
		v.Progress(fmt.Sprintf(format, args...))
	}
}

// reportDamage reports an error about a row that cannot be read, and returns any other error.
func (v *Verifier) reportDamage(where string, err error) error {
	var damage *store.Damage
	if !errors.As(err, &damage) { // nil too
		return err
	}
	v.Report(where+" "+damage.Table, fmt.Sprintf("a row cannot be read, so the rest was not verified: %v", damage.Err))
	return nil
}

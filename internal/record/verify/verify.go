// Package verify proves that what is stored is what was recorded. It recomputes everything that follows from a
// session's log in a scratch store, and what features keep beside it by their Recomputers; it names every row that
// differs, is missing or belongs to nothing, and changes nothing.
//
// A row that cannot be read is a difference, and ends the verification of what it belongs to. The cost of verifying
// a session is linear in its log, and its memory does not grow with it.
package verify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/note"

	"firemode"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/record/merge"
	"firemode/internal/store"
)

// Scratch is a store for one session, which nobody else uses. Closing it deletes it.
type Scratch interface {
	store.Store
	Close() error
}

// Verifier verifies a store.
type Verifier struct {
	Store store.Store
	Merge *merge.Service // merges logs again, with the consequences of this installation
	Key   note.Verifier  // of the checkpoints
	// Scratch opens an empty store with the newest schema, in which a log is rebuilt.
	Scratch     func(context.Context) (Scratch, error)
	Recomputers []Recomputer
	Report      Report
	Progress    func(line string) // what was verified; nil for nobody who wants to know
}

// Report takes a difference: where is the organisation and what of it, such as "demo session 123, batches entry 7".
type Report func(where, what string)

// Totals is what was verified.
type Totals struct {
	Sessions int
	Entries  int64 // of their logs
}

// Scope is what to verify.
type Scope struct {
	Org     firemode.OrgID     // "" for all
	Session firemode.SessionID // "" for all
}

// Run verifies what is in scope. It returns an error only when it could not look; CodeNotFound for an organisation
// or session that does not exist.
func (v *Verifier) Run(ctx context.Context, in Scope) (t Totals, err error) {
	orgs, err := v.organisations(ctx, in.Org)
	if err != nil {
		return t, err
	}
	if _, err := v.books(ctx, ""); err != nil {
		return t, err
	}
	for _, org := range orgs {
		if err := v.organisation(ctx, org, in.Session, &t); err != nil {
			return t, err
		}
	}
	if in.Session != "" {
		if t.Sessions == 0 {
			return t, firemode.NotFound("there is no session %s", in.Session)
		}
		return t, nil // one session is not worth a look at every row
	}
	return t, v.orphans(ctx, in.Org)
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

// orphans reports rows that the walk over organisations and sessions does not reach.
func (v *Verifier) orphans(ctx context.Context, only firemode.OrgID) error {
	return v.Store.View(ctx, func(tx store.ReadTx) error {
		orphans, err := store.As[store.OrphanReader](tx).Orphans(ctx)
		for _, o := range orphans {
			if only == "" || o.Org == only {
				v.Report(fmt.Sprintf("%s %s", o.Org, o.Table), fmt.Sprintf("rows of %q belong to nothing that is there and listed", o.Owner))
			}
		}
		return err
	})
}

// audited is what the audit log of one organisation says.
type audited struct {
	last           int64 // number of the last entry that was read
	created        map[firemode.SessionID]ledger.AuditEntry
	recomputations []Recomputation
}

// books verifies what belongs to the organisation as a whole, with org "" to the shared catalogue: its audit log
// and what features recompute from it.
func (v *Verifier) books(ctx context.Context, org firemode.OrgID) (*audited, error) {
	name := cmp.Or(string(org), "shared catalogue")
	report := func(where, what string) { v.Report(name+" "+where, what) }
	a := &audited{created: map[firemode.SessionID]ledger.AuditEntry{}}
	for _, r := range v.Recomputers {
		a.recomputations = append(a.recomputations, r.Recompute(org))
	}
	err := v.Store.View(ctx, func(tx store.ReadTx) error {
		n, err := store.CheckAudit(ctx, tx, org, func(e ledger.AuditEntry, what string) {
			where := fmt.Sprintf("audit entry %d", e.Seq)
			if e.Seq == 0 {
				where = "audit_heads and audit"
			}
			report(where, what)
		}, a.add)
		if err != nil {
			return err
		}
		v.progress("%s: %d audit entries", name, n)
		for _, r := range a.recomputations {
			summary, err := r.Organisation(ctx, tx, report)
			if err != nil {
				return err
			}
			if summary != "" {
				v.progress("%s: %s", name, summary)
			}
		}
		return nil
	})
	return a, v.damaged(name, err)
}

func (a *audited) add(e ledger.AuditEntry) {
	a.last = e.Seq
	if e.Action == ledger.ActionCreateSession {
		a.created[firemode.SessionID(e.Subject)] = e
	}
	for _, r := range a.recomputations {
		r.Audit(e)
	}
}

func (v *Verifier) progress(format string, args ...any) {
	if v.Progress != nil {
		v.Progress(fmt.Sprintf(format, args...))
	}
}

func (v *Verifier) organisation(ctx context.Context, org firemode.OrgID, only firemode.SessionID, t *Totals) error {
	a, err := v.books(ctx, org)
	if err != nil {
		return err
	}
	if only != "" {
		return v.only(ctx, ledger.SessionRef{Org: org, Session: only}, a, t)
	}
	missing := map[firemode.SessionID]bool{}
	for id := range a.created {
		missing[id] = true
	}
	list := func(p store.Page) (rows []store.Keyed[firemode.Session], err error) {
		err = v.Store.View(ctx, func(tx store.ReadTx) (err error) {
			rows, err = store.As[store.SessionReader](tx).Sessions(ctx, org, store.SessionFilter{}, p)
			return err
		})
		if err != nil {
			err = &listError{err}
		}
		return rows, err
	}
	err = store.EachRow(list, func(s firemode.Session) error {
		delete(missing, s.ID)
		return v.session(ctx, ledger.RefOf(s), a, t)
	})
	var unlisted *listError
	switch {
	case errors.As(err, &unlisted) && firemode.CodeOf(unlisted.err) == firemode.CodeNotFound:
		v.Report(string(org)+" sessions", "one is listed and not there, so the rest was not looked at")
		return nil
	case errors.As(err, &unlisted):
		return v.damaged(string(org), unlisted.err)
	case err != nil:
		return err
	}
	for id := range missing {
		v.Report(fmt.Sprintf("%s sessions %s", org, id), "it is missing, or not listed: the audit log says that it was made")
	}
	return nil
}

// listError is an error of the list of sessions, not of verifying one of them.
type listError struct{ err error }

func (e *listError) Error() string { return e.err.Error() }

// only verifies one session, if it is this organisation's.
func (v *Verifier) only(ctx context.Context, ref ledger.SessionRef, a *audited, t *Totals) error {
	err := v.Store.View(ctx, func(tx store.ReadTx) error {
		_, err := store.As[store.SessionReader](tx).Session(ctx, ref.Org, ref.Session)
		return err
	})
	if err != nil && firemode.CodeOf(err) == firemode.CodeNotFound {
		return nil
	}
	return v.session(ctx, ref, a, t)
}

// damaged reports an error that is about a row which cannot be read, and returns any other.
func (v *Verifier) damaged(where string, err error) error {
	var damage *store.Damage
	if !errors.As(err, &damage) { // nil too
		return err
	}
	v.Report(where+" "+damage.Table, fmt.Sprintf("a row cannot be read, so the rest was not looked at: %v", damage.Err))
	return nil
}

func (v *Verifier) session(ctx context.Context, ref ledger.SessionRef, a *audited, t *Totals) error {
	t.Sessions++
	entries, err := v.one(ctx, ref, a)
	if err != nil {
		return fmt.Errorf("session %s: %w", ref.Session, err)
	}
	t.Entries += entries
	v.progress("%s: session %s with %d log entries", ref.Org, ref.Session, entries)
	return nil
}

// Session verifies one session without its organisation's audit log: neither how it was made nor what people did
// with what was derived is verified.
func (v *Verifier) Session(ctx context.Context, ref ledger.SessionRef) error {
	_, err := v.one(ctx, ref, nil)
	return err
}

// one verifies a session, and returns how many entries its head says that its log has.
func (v *Verifier) one(ctx context.Context, ref ledger.SessionRef, known *audited) (entries int64, err error) {
	scratch, err := v.Scratch(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, scratch.Close()) }()
	err = v.Store.View(ctx, func(tx store.ReadTx) error {
		a := &auditor{
			Verifier: v, ctx: ctx, tx: store.As[store.ExactReader](tx).Exactly(), plain: tx, ref: ref,
			found: map[firemode.ItemID]firemode.LastResult{}, parents: map[crdt.ActorID]ledger.Quarantined{},
		}
		err := a.begin(known)
		if err == nil {
			err = a.verify(scratch)
		}
		entries = a.head.Seq
		var damage *store.Damage
		switch {
		case errors.Is(err, errNothing):
			return nil
		case errors.As(err, &damage):
			a.differs(damage.Table, "a row cannot be read, so the rest was not looked at: %v", damage.Err)
			return nil
		}
		return err
	})
	return entries, err
}

// begin reads the session, and has its recomputations begin.
func (a *auditor) begin(known *audited) (err error) {
	if a.session, err = store.As[store.SessionReader](a.tx).Session(a.ctx, a.ref.Org, a.ref.Session); err != nil {
		return err
	}
	var newer []ledger.AuditEntry
	begun := make([]Recomputation, 0, len(a.Recomputers))
	if known != nil {
		a.audited, a.created = true, known.created[a.ref.Session]
		if newer, err = a.newer(known.last); err != nil {
			return err
		}
		begun = known.recomputations
	} else {
		for _, r := range a.Recomputers {
			begun = append(begun, r.Recompute(a.ref.Org))
		}
	}
	for _, r := range begun {
		s := SessionScope{Session: a.session, Audited: a.audited, Newer: newer, Report: func(where, what string) { a.differs(where, "%s", what) }}
		if one := r.Session(s); one != nil {
			a.recomputers = append(a.recomputers, one)
		}
	}
	for _, e := range newer {
		if e.Action == ledger.ActionCreateSession && e.Subject == string(a.ref.Session) {
			a.created = e
		}
	}
	return nil
}

// newer returns what was written to the audit log after entry last, which others may go on writing, oldest first.
func (a *auditor) newer(last int64) (newer []ledger.AuditEntry, err error) {
	log := store.As[store.AuditReader](a.tx)
	end, _, err := log.AuditEnd(a.ctx, a.ref.Org)
	for after := ""; err == nil && end-last > int64(len(newer)); {
		var page []store.Keyed[ledger.AuditEntry]
		page, err = log.Audits(a.ctx, a.ref.Org, "", store.Page{After: after, Limit: 100})
		if len(page) == 0 {
			break
		}
		for _, e := range page {
			if e.Row.Seq > last {
				newer = append(newer, e.Row)
			}
			after = e.Key
		}
	}
	slices.Reverse(newer)
	return newer, err
}

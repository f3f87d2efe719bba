package sessions

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/note"

	"firemode"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// Difference is something that does not follow from the log, or a log entry that is not what it was.
type Difference struct {
	Session firemode.SessionID
	Where   string // the table and what of it, such as "batches entry 7" or "ops /items/FE-001/outcome tablet-7:3:0"
	What    string
}

// Verification is what Verify needs beside the store.
type Verification struct {
	Key note.Verifier // of the checkpoints
	// Scratch opens an empty store with the newest schema, in which the log is replayed.
	Scratch func(context.Context) (store.Database, error)
	Report  func(Difference)
	// Audited is what the organisation's audit log says. Without it what people did with defects, and what a session was when it
	// was made, are not verified.
	Audited *Audited
}

// Verify recomputes everything about a session from its log, in a scratch store, and reports each difference. It returns an
// error only when it could not look. A row that cannot be read ends the verification of its session, and is a difference. Its cost
// is linear in the log.
func (s *Service) Verify(ctx context.Context, ref ledger.SessionRef, v Verification) (err error) {
	scratch, err := v.Scratch(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, scratch.Close()) }()
	return s.store.View(ctx, func(tx store.ReadTx) error {
		a := &auditor{
			ctx: ctx, svc: s, tx: store.As[store.ExactReader](tx).Exactly(), plain: tx, ref: ref, Verification: v,
			found: map[firemode.ItemID]firemode.LastResult{}, parents: map[crdt.ActorID]ledger.Quarantined{},
		}
		err := a.verify(scratch)
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
}

// auditor verifies one session.
type auditor struct {
	Verification
	ctx     context.Context // of the call, as long as it lasts
	svc     *Service
	tx      store.ReadTx // reads exactly
	plain   store.ReadTx // the same transaction, for rows that are not verified
	ref     ledger.SessionRef
	session firemode.Session
	head    ledger.Head

	seq      int64 // of the last entry
	entries  int64
	hash     []byte
	frontier ledger.Frontier
	status   firemode.SessionStatus
	reason   string
	finished time.Time                               // of the last completion, zero while the session is open
	found    map[firemode.ItemID]firemode.LastResult // of all completions
	parents  map[crdt.ActorID]ledger.Quarantined     // by the fresh actor
	told     told                                    // by the audit log
	pending  []defectChange                          // of told, what is not replayed yet
}

func (a *auditor) verify(scratch store.Store) (err error) {
	if a.session, err = store.As[store.SessionReader](a.tx).Session(a.ctx, a.ref.Org, a.ref.Session); err != nil {
		return err
	}
	if a.Audited != nil {
		if a.told, err = a.Audited.of(a.ctx, a.tx, a.ref); err != nil {
			return err
		}
		a.pending = a.told.changed
	}
	if a.head, err = store.As[store.HeadReader](a.tx).Head(a.ctx, a.ref); err != nil {
		return a.missing("session_heads", err)
	}
	if err := a.prepare(scratch); err != nil {
		return err
	}
	if err := a.replay(scratch); err != nil {
		return err
	}
	a.checkHead()
	a.checkSession()
	if err := a.checkQuarantine(); err != nil {
		return err
	}
	return scratch.View(a.ctx, func(again store.ReadTx) error { return a.compare(again) })
}

func (a *auditor) differs(where, format string, args ...any) {
	a.Report(Difference{Session: a.ref.Session, Where: where, What: fmt.Sprintf(format, args...)})
}

// errNothing ends the verification of a session of which nothing more can be said.
var errNothing = errors.New("nothing more can be verified")

// missing reports that what a table should lead to is not there.
func (a *auditor) missing(table string, err error) error {
	if firemode.CodeOf(err) != firemode.CodeNotFound {
		return err
	}
	a.differs(table, "%v, so the rest was not looked at", err)
	return errNothing
}

// prepare makes the session as it was before its first result.
func (a *auditor) prepare(scratch store.Store) error {
	building, err := store.As[store.BuildingReader](a.plain).Building(a.ctx, a.ref.Org, a.session.Building)
	if err != nil {
		return a.missing("sessions", err)
	}
	items, err := a.items()
	if err != nil {
		return err
	}
	a.checkCreation(items)
	a.status = firemode.SessionPending
	for i := range items {
		items[i].State, items[i].Outcome, items[i].Missing, items[i].Conflicts = firemode.ItemUntouched, "", nil, 0
	}
	session := a.session
	session.Technicians, session.Status, building.Owners = nil, firemode.SessionActive, nil
	return scratch.Update(a.ctx, func(tx store.Tx) error {
		if err := store.As[store.OrganisationWriter](tx).CreateOrganisation(a.ctx, firemode.Organisation{ID: a.ref.Org, Name: string(a.ref.Org), CreatedAt: tx.Now()}); err != nil {
			return err
		}
		if err := store.As[store.BuildingWriter](tx).CreateBuilding(a.ctx, building); err != nil {
			return err
		}
		if err := store.As[store.SessionWriter](tx).CreateSession(a.ctx, session, ledger.Head{Epoch: a.head.Epoch, Key: a.head.Key, ChangedAt: session.CreatedAt}); err != nil {
			return err
		}
		return store.As[store.ItemWriter](tx).CreateItems(a.ctx, a.ref.Org, a.ref.Session, items)
	})
}

const itemsAtOnce = 1000

func (a *auditor) items() (all []firemode.Item, err error) {
	for after := ""; ; {
		rows, err := store.As[store.ItemReader](a.tx).Items(a.ctx, a.ref.Org, a.ref.Session, store.ItemFilter{}, store.Page{After: after, Limit: itemsAtOnce})
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			all = append(all, r.Row)
		}
		if len(rows) < itemsAtOnce {
			return all, nil
		}
		after = rows[len(rows)-1].Key
	}
}

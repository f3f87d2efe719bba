package verify

import (
	"context"
	"errors"
	"fmt"
	"time"

	"firemode"
	"firemode/internal/record/assess"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// auditor verifies one session.
type auditor struct {
	*Verifier
	ctx         context.Context // of the call, as long as it lasts
	tx          store.ReadTx    // reads exactly
	plain       store.ReadTx    // the same transaction, for rows that are not verified
	ref         ledger.SessionRef
	audited     bool              // whether the organisation's audit log was read
	created     ledger.AuditEntry // of no number when the audit log has none
	recomputers []SessionRecomputation
	session     firemode.Session
	head        ledger.Head
	log         rebuiltLog
	found       map[firemode.ItemID]firemode.LastResult // of all completions
	parents     map[crdt.ActorID]ledger.Quarantined     // by the fresh actor
}

// rebuiltLog is where the log of a session stands after the entries that were read of it.
type rebuiltLog struct {
	seq      int64 // of the last entry
	entries  int64
	hash     []byte
	frontier ledger.Frontier
	status   firemode.SessionStatus
	reason   string
	finished time.Time // of the last completion, zero while the session is open
}

func (a *auditor) verify(scratch store.Store) (err error) {
	if a.head, err = store.As[store.HeadReader](a.tx).Head(a.ctx, a.ref); err != nil {
		return a.missing("session_heads", err)
	}
	if err := assess.CheckFormat(a.session.Format); err != nil {
		a.differs("sessions", "%v", err)
		return errNothing
	}
	if err := a.prepare(scratch); err != nil {
		return err
	}
	if err := a.rebuild(scratch); err != nil {
		return err
	}
	a.checkHead()
	a.checkSession()
	if err := a.checkQuarantine(); err != nil {
		return err
	}
	return scratch.View(a.ctx, func(rebuilt store.ReadTx) error { return a.compare(rebuilt) })
}

func (a *auditor) differs(where, format string, args ...any) {
	a.Report(fmt.Sprintf("%s session %s, %s", a.ref.Org, a.ref.Session, where), fmt.Sprintf(format, args...))
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
	a.log.status = firemode.SessionPending
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

func (a *auditor) items() (all []firemode.Item, err error) {
	list := func(p store.Page) ([]store.Keyed[firemode.Item], error) {
		return store.As[store.ItemReader](a.tx).Items(a.ctx, a.ref.Org, a.ref.Session, store.ItemFilter{}, p)
	}
	err = store.EachRow(list, func(item firemode.Item) error {
		all = append(all, item)
		return nil
	})
	return all, err
}

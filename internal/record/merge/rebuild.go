package merge

import (
	"context"
	"fmt"
	"time"

	"firemode"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// Rebuild merges entries of a log again, as they were decided when they were logged, in a store that holds nothing
// of the session but how it was made. Entries that were merged in one transaction are rebuilt in one.
type Rebuild struct{ m *merging }

// Rebuild begins with a locked session. at is the time of the transaction that is repeated.
func (s *Service) Rebuild(ctx context.Context, tx store.Tx, locked store.LockedSession, at time.Time) Rebuild {
	m := s.newMerging(ctx, tx, locked)
	m.at = at
	return Rebuild{m}
}

// Add merges one entry again. It returns the outcomes of its changes as they come out now: none for an entry that
// cannot be read.
func (r Rebuild) Add(stored ledger.Entry) ([]ledger.Outcome, error) {
	e := stored
	e.MergedSeq, e.PrefixSeq = 0, 0
	var err error
	if e.Kind == ledger.EntryStatus {
		err = r.status(&e)
	} else {
		err = r.changes(&e)
	}
	if err != nil {
		return nil, fmt.Errorf("log entry %d: %w", e.Seq, err)
	}
	rebuilt := e.Outcomes
	e.Outcomes = stored.Outcomes
	for i := range r.m.newBatches {
		if r.m.newBatches[i].Seq == e.Seq {
			r.m.newBatches[i] = e
		}
	}
	r.m.head.Seq, r.m.head.Hash = e.Seq, e.Hash
	return rebuilt, nil
}

// Finish writes what the entries come to.
func (r Rebuild) Finish() error { return r.m.settle() }

// Found returns what a visit that was completed at the given time found, by item. It must follow the entry that
// completed it.
func (r Rebuild) Found(completed time.Time) (map[firemode.ItemID]firemode.LastResult, error) {
	r.m.session.CompletedAt = completed
	return r.m.findings()
}

func (r Rebuild) status(e *ledger.Entry) error {
	c, err := ledger.ParseStatusChange(*e)
	if err != nil {
		return nil // the caller compares entries, and says so
	}
	m := r.m
	m.session.Status = c.Status
	e.MergedSeq = e.Seq
	m.newBatches = append(m.newBatches, *e)
	m.head.Seq = e.Seq
	if err := store.As[store.SessionWriter](m.tx).UpdateSession(m.ctx, m.session); err != nil {
		return err
	}
	if c.Status == firemode.SessionReopened {
		return m.mergeLate()
	}
	return nil
}

func (r Rebuild) changes(e *ledger.Entry) error {
	changes, err := ledger.ParseChanges(*e)
	if err != nil || len(changes) != len(e.Outcomes) {
		return nil // as above
	}
	m := r.m
	if err := m.needActors(map[crdt.ActorID]bool{e.Actor: true}); err != nil {
		return err
	}
	actor := m.actors[e.Actor]
	if actor == nil {
		actor = &ledger.Actor{ID: e.Actor, Client: e.Client, User: e.User}
		m.actors[e.Actor] = actor
	}
	m.hold(actor, e.Number)
	actor.LastSync, actor.ClientType = e.ReceivedAt, e.ClientType
	m.head.Batches++
	e.Outcomes = append([]ledger.Outcome(nil), e.Outcomes...)
	for i := range e.Outcomes {
		if e.Outcomes[i].Status == changeSuperseded {
			e.Outcomes[i].Status = changeApplied // to be found out by the merge
		}
	}
	if !m.session.Status.Open() {
		m.head.Late++
	} else {
		if err := m.loadPaths(changedPaths(changes)); err != nil {
			return err
		}
		if err := m.merge(e, changes, actor, e.Seq); err != nil {
			return err
		}
	}
	m.newBatches = append(m.newBatches, *e)
	return nil
}

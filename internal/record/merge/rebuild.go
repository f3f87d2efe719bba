package merge

import (
	"context"
	"fmt"
	"slices"
	"time"

	"firemode"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// Rebuild recomputes a session from entries of its log, in a store that holds nothing of the
// session but how it was created. Entries that were merged in one transaction are rebuilt in one,
// so that what was derived once for all of them is derived once. Add the entries in order, then
// call Finish.
type Rebuild struct{ m *merging }

// Rebuild begins to rebuild a locked session. at is the time of the transaction that is rebuilt. It
// fails if this binary does not know the session's format.
func (s *Service) Rebuild(ctx context.Context, tx store.Tx, locked store.LockedSession, at time.Time) (Rebuild, error) {
	m, err := s.newMerging(ctx, tx, locked)
	if err != nil {
		return Rebuild{}, err
	}
	m.at = at
	return Rebuild{m}, nil
}

// Add rebuilds one entry. It returns the outcomes of its changes as they are recomputed; the caller
// compares them with the stored ones. Changes or a status that cannot be parsed are skipped:
// comparing entries reports them.
func (r Rebuild) Add(ctx context.Context, stored ledger.Entry) ([]ledger.Outcome, error) {
	e := stored
	e.MergedSeq, e.PrefixSeq = 0, 0
	var err error
	if e.Kind == ledger.EntryStatus {
		err = r.addStatus(ctx, &e)
	} else {
		err = r.addChanges(ctx, &e)
	}
	if err != nil {
		return nil, fmt.Errorf("log entry %d: %w", e.Seq, err)
	}
	rebuilt := e.Outcomes
	e.Outcomes = stored.Outcomes
	for i, pending := range r.m.writes.entries {
		if pending.Seq == e.Seq {
			r.m.writes.entries[i] = e
		}
	}
	r.m.head.Seq, r.m.head.Hash = e.Seq, e.Hash
	return rebuilt, nil
}

// Finish writes what follows from the entries.
func (r Rebuild) Finish(ctx context.Context) error { return r.m.writeRecord(ctx) }

// Found returns the results of a visit that was completed at the given time, by item. Call it after
// Add of the entry that completed it.
func (r Rebuild) Found(ctx context.Context, completed time.Time) (map[firemode.ItemID]firemode.LastResult, error) {
	r.m.session.CompletedAt = completed
	return r.m.lastResults(ctx)
}

func (r Rebuild) addStatus(ctx context.Context, e *ledger.Entry) error {
	c, err := ledger.ParseStatusChange(*e)
	if err != nil {
		return nil
	}
	m := r.m
	m.session.Status = c.Status
	e.MergedSeq = e.Seq
	m.writes.entries = append(m.writes.entries, *e)
	m.head.Seq = e.Seq
	if err := m.ports.sessions.UpdateSession(ctx, m.session); err != nil {
		return err
	}
	if c.Status == firemode.SessionReopened {
		return m.mergeLate(ctx)
	}
	return nil
}

func (r Rebuild) addChanges(ctx context.Context, e *ledger.Entry) error {
	changes, err := ledger.ParseChanges(*e)
	if err != nil || len(changes) != len(e.Outcomes) {
		return nil
	}
	m := r.m
	if err := m.readActors(ctx, map[crdt.ActorID]bool{e.Actor: true}); err != nil {
		return err
	}
	actor := m.known.actors[e.Actor]
	if actor == nil {
		actor = &ledger.Actor{ID: e.Actor, Client: e.Client, User: e.User}
		m.known.actors[e.Actor] = actor
	}
	m.holdBatch(actor, e.Number)
	actor.LastSync, actor.ClientType = e.ReceivedAt, e.ClientType
	m.head.Batches++
	e.Outcomes = slices.Clone(e.Outcomes)
	for i := range e.Outcomes {
		if e.Outcomes[i].Status == changeSuperseded {
			e.Outcomes[i].Status = changeApplied // the merge finds out
		}
	}
	if m.session.Status.Open() {
		if err := m.readAround(ctx, changedPaths(changes)); err != nil {
			return err
		}
		if err := m.mergeBatch(ctx, e, changes, actor, e.Seq); err != nil {
			return err
		}
	} else {
		m.head.Late++
	}
	m.writes.entries = append(m.writes.entries, *e)
	return nil
}

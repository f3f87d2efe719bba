package sessions

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"time"

	"firemode"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// replay checks each log entry and merges it again. It goes group by group, since one transaction for the whole log would hold
// all of it in memory.
func (a *auditor) replay(scratch store.Store) error {
	var group []ledger.Entry
	err := store.As[store.EntryReader](a.tx).EachEntry(a.ctx, a.ref, 1, func(b ledger.Entry) error {
		a.checkEntry(b)
		a.seq, a.hash = b.Seq, b.Hash
		a.frontier = a.frontier.Append(a.entries, b.Hash)
		a.entries++
		if len(group) > 0 && !together(group[0], b) {
			if err := a.replayGroup(scratch, group); err != nil {
				return err
			}
			group = nil
		}
		group = append(group, b)
		return nil
	})
	if err != nil {
		return err
	}
	if len(group) > 0 {
		if err := a.replayGroup(scratch, group); err != nil {
			return err
		}
	}
	return scratch.Update(a.ctx, func(tx store.Tx) error { return a.changeDefects(tx, math.MaxInt64) })
}

// together reports whether two neighbours in the log were merged in one transaction, whose time both carry. It matters, since what
// follows from the document was derived once for all of them: a defect was found by the earliest reading of its group.
func together(a, b ledger.Entry) bool {
	return a.Kind == ledger.EntryChanges && b.Kind == ledger.EntryChanges && a.ReceivedAt.Equal(b.ReceivedAt)
}

func (a *auditor) replayGroup(scratch store.Store, group []ledger.Entry) error {
	return scratch.Update(a.ctx, func(tx store.Tx) error {
		if err := a.changeDefects(tx, group[0].Seq); err != nil {
			return err
		}
		locked, err := store.As[store.SessionWriter](tx).LockSessions(a.ctx, a.ref.Org, []firemode.SessionID{a.ref.Session})
		if err != nil {
			return err
		}
		m := a.svc.newMerging(a.ctx, tx, locked[0])
		m.at = group[0].ReceivedAt
		for _, b := range group {
			if err := a.again(m, b); err != nil {
				return err
			}
		}
		return m.settle()
	})
}

// changeDefects does again what people did with defects before log entry seq.
func (a *auditor) changeDefects(tx store.Tx, seq int64) error {
	for len(a.pending) > 0 && a.pending[0].Seq < seq {
		change := a.pending[0]
		a.pending = a.pending[1:]
		d, err := store.As[store.DefectReader](tx).Defect(a.ctx, a.ref.Org, change.ID)
		if firemode.CodeOf(err) == firemode.CodeNotFound && err != nil {
			a.differs("defects "+string(change.ID), "the audit log says that it was changed, and it does not follow from the log")
			continue
		}
		if err != nil {
			return err
		}
		d.Status, d.Note, d.UpdatedAt = change.To, change.Note, change.At
		if err := store.As[store.DefectWriter](tx).UpdateDefect(a.ctx, d); err != nil {
			return err
		}
	}
	return nil
}

// again puts an entry into the scratch store as it was decided then.
func (a *auditor) again(m *merging, stored ledger.Entry) error {
	b := stored
	b.MergedSeq, b.PrefixSeq = 0, 0
	var err error
	if b.Kind == ledger.EntryStatus {
		err = a.statusAgain(m, &b)
	} else {
		err = a.changesAgain(m, &b)
	}
	if err != nil {
		return fmt.Errorf("log entry %d: %w", b.Seq, err)
	}
	if len(stored.Outcomes) != len(b.Outcomes) {
		return nil // reported by checkEntry
	}
	for i, o := range b.Outcomes {
		if stored.MergedSeq == stored.Seq && o.Status != stored.Outcomes[i].Status {
			a.differs(entryName(b.Seq), "change %d was answered %q and comes out as %q", i, stored.Outcomes[i].Status, o.Status)
		}
	}
	b.Outcomes = stored.Outcomes
	for i := range m.newBatches {
		if m.newBatches[i].Seq == b.Seq {
			m.newBatches[i] = b
		}
	}
	m.head.Seq, m.head.Hash = b.Seq, b.Hash
	return nil
}

func (a *auditor) statusAgain(m *merging, b *ledger.Entry) error {
	var particulars struct {
		Status firemode.SessionStatus
		Reason string
	}
	if err := json.Unmarshal(b.Changes, &particulars); err != nil {
		a.differs(entryName(b.Seq), "it cannot be read: %v", err)
		return nil
	}
	m.session.Status = particulars.Status
	a.status, a.reason, a.finished = particulars.Status, cmp.Or(particulars.Reason, a.reason), time.Time{}
	b.MergedSeq = b.Seq
	m.newBatches = append(m.newBatches, *b)
	m.head.Seq = b.Seq
	if err := store.As[store.SessionWriter](m.tx).UpdateSession(m.ctx, m.session); err != nil {
		return err
	}
	switch particulars.Status {
	case firemode.SessionReopened:
		return m.mergeLate()
	case firemode.SessionCompleted:
		m.session.CompletedAt, a.finished = b.ReceivedAt, b.ReceivedAt
		found, err := m.findings()
		maps.Copy(a.found, found)
		return err
	}
	return nil
}

func (a *auditor) changesAgain(m *merging, b *ledger.Entry) error {
	changes, err := storedChanges(*b)
	if err != nil || len(changes) != len(b.Outcomes) {
		return nil // reported by checkEntry
	}
	if a.status == firemode.SessionPending {
		a.status = firemode.SessionActive
	}
	if err := m.needActors(map[crdt.ActorID]bool{b.Actor: true}); err != nil {
		return err
	}
	actor := m.actors[b.Actor]
	if actor == nil {
		actor = &ledger.Actor{ID: b.Actor, Client: b.Client, User: b.User}
		m.actors[b.Actor] = actor
	}
	m.hold(actor, b.Number)
	actor.LastSync, actor.ClientType = b.ReceivedAt, b.ClientType
	m.head.Batches++
	b.Outcomes = append([]ledger.Outcome(nil), b.Outcomes...)
	for i := range b.Outcomes {
		if b.Outcomes[i].Status == changeSuperseded {
			b.Outcomes[i].Status = changeApplied // to be found out again
		}
	}
	if !m.session.Status.Open() {
		m.head.Late++
	} else {
		if err := m.loadPaths(changedPaths(changes)); err != nil {
			return err
		}
		if err := m.merge(b, changes, actor, b.Seq); err != nil {
			return err
		}
	}
	m.newBatches = append(m.newBatches, *b)
	return nil
}

package merge

import (
	"context"

	"firemode"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// StatusChange completes or reopens a session.
type StatusChange struct {
	Session firemode.Session // as it will be, with its new Status
	By      firemode.UserID
	// Reason and AcceptGaps become part of the log.
	Reason     string
	AcceptGaps bool
}

// ChangeStatus appends a change of status to the log of a locked session. Completing saves the
// results of the visit for the next one; reopening merges the late batches. The caller has checked
// that the change is allowed, and writes the session itself. ChangeStatus fails if this binary does
// not know the session's format.
func (s *Service) ChangeStatus(ctx context.Context, tx store.Tx, locked store.LockedSession, c StatusChange) error {
	m, err := s.newMerging(ctx, tx, locked)
	if err != nil {
		return err
	}
	m.session = c.Session
	if err := m.appendStatus(c); err != nil {
		return err
	}
	if c.Session.Status == firemode.SessionReopened {
		err = m.mergeLate(ctx)
	} else {
		err = m.saveLastResults(ctx)
	}
	if err != nil {
		return err
	}
	if err := m.finish(ctx); err != nil {
		return err
	}
	return store.AppendAudit(ctx, tx, m.ref.Org, m.audits...)
}

func (m *merging) appendStatus(c StatusChange) error {
	text, err := ledger.StatusChange{AcceptGaps: c.AcceptGaps, Reason: c.Reason, Status: c.Session.Status}.Encode()
	if err != nil {
		return err
	}
	seq := m.head.Seq + 1
	m.appendEntry(&ledger.Entry{
		Seq: seq, Kind: ledger.EntryStatus, User: c.By, ReceivedAt: m.tx.Now(), Changes: text, MergedSeq: seq,
	})
	return nil
}

// maxLateBytes is the size of late changes after which mergeLate drops what it has read for them.
const maxLateBytes = 4 << 20

// mergeLate merges the late batches in the order of the log, all at the number of the reopening:
// they are delivered to clients from that number on. Its memory does not grow with their number.
func (m *merging) mergeLate(ctx context.Context) error {
	if err := m.flush(ctx); err != nil {
		return err
	}
	var seqs []int64
	size := 0
	err := m.ports.entries.EachLateEntry(ctx, m.ref, func(e ledger.Entry) error {
		seqs = append(seqs, e.Seq)
		if size += len(e.Changes); size > maxLateBytes {
			size = len(e.Changes)
			if err := m.flush(ctx); err != nil {
				return err
			}
			m.resetState(ctx)
		}
		if err := m.readActors(ctx, map[crdt.ActorID]bool{e.Actor: true}); err != nil {
			return err
		}
		changes, err := ledger.ParseChanges(e)
		if err != nil {
			return err
		}
		if err := m.readAround(ctx, changedPaths(changes)); err != nil {
			return err
		}
		return m.mergeBatch(ctx, &e, changes, m.known.actors[e.Actor], m.head.Seq)
	})
	if err != nil {
		return err
	}
	m.head.Late = 0
	return m.ports.entryWriter.MarkMerged(ctx, m.ref, seqs, m.head.Seq)
}

// saveLastResults saves the results of the completed visit, which the next visit shows beside its
// readings.
func (m *merging) saveLastResults(ctx context.Context) error {
	results, err := m.lastResults(ctx)
	if err != nil {
		return err
	}
	return m.ports.sessions.SaveLastResults(ctx, m.ref.Org, m.session.Building, results)
}

// lastResults returns the outcome and the measurements of every item, as the document shows them
// now.
func (m *merging) lastResults(ctx context.Context) (map[firemode.ItemID]firemode.LastResult, error) {
	results := map[firemode.ItemID]firemode.LastResult{}
	err := m.eachItem(ctx, func(id firemode.ItemID, state *crdt.State) {
		r := m.derivation.LastResult(state, id)
		r.Session, r.CompletedAt = m.session.ID, m.session.CompletedAt
		results[id] = r
	})
	return results, err
}

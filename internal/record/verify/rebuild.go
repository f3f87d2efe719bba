package verify

import (
	"cmp"
	"context"
	"maps"
	"math"
	"time"

	"firemode"
	"firemode/internal/record/ledger"
	"firemode/internal/record/merge"
	"firemode/internal/store"
)

// rebuild checks each log entry and merges it again in the scratch store. Each group that was
// merged in one transaction is rebuilt in one: a transaction for the whole log would hold all of it
// in memory.
func (s *verification) rebuild(ctx context.Context, scratch store.Store) error {
	var group []ledger.Entry
	err := store.As[store.EntryReader](s.tx).EachEntry(ctx, s.ref, 1, func(e ledger.Entry) error {
		s.checkEntry(e)
		s.log.seq, s.log.hash = e.Seq, e.Hash
		s.log.frontier = s.log.frontier.Append(s.log.entries, e.Hash)
		s.log.entries++
		if len(group) > 0 && !mergedTogether(group[0], e) {
			if err := s.rebuildGroup(ctx, scratch, group); err != nil {
				return err
			}
			group = nil
		}
		group = append(group, e)
		return nil
	})
	if err != nil {
		return err
	}
	if len(group) > 0 {
		if err := s.rebuildGroup(ctx, scratch, group); err != nil {
			return err
		}
	}
	return scratch.Update(ctx, func(tx store.Tx) error { return s.applyActions(ctx, tx, math.MaxInt64) })
}

// mergedTogether reports whether two neighbours in the log were merged in one transaction: then
// both carry its time. What follows from the document was derived once for all of them, so a defect
// was found by the earliest reading of its group.
func mergedTogether(a, b ledger.Entry) bool {
	return a.Kind == ledger.EntryChanges && b.Kind == ledger.EntryChanges && a.ReceivedAt.Equal(b.ReceivedAt)
}

func (s *verification) rebuildGroup(ctx context.Context, scratch store.Store, group []ledger.Entry) error {
	return scratch.Update(ctx, func(tx store.Tx) error {
		if err := s.applyActions(ctx, tx, group[0].Seq); err != nil {
			return err
		}
		ids := []firemode.SessionID{s.ref.Session}
		locked, err := store.As[store.SessionWriter](tx).LockSessions(ctx, s.ref.Org, ids)
		if err != nil {
			return err
		}
		r, err := s.Merge.Rebuild(ctx, tx, locked[0], group[0].ReceivedAt)
		if err != nil {
			return err
		}
		for _, e := range group {
			outcomes, err := r.Add(ctx, e)
			if err != nil {
				return err
			}
			s.compareOutcomes(e, outcomes)
			if e.Kind == ledger.EntryStatus {
				err = s.rebuildStatus(ctx, r, e)
			} else if s.log.status == firemode.SessionPending {
				s.log.status = firemode.SessionActive
			}
			if err != nil {
				return err
			}
		}
		return r.Finish(ctx)
	})
}

// rebuildStatus follows a change of the session's status.
func (s *verification) rebuildStatus(ctx context.Context, r merge.Rebuild, e ledger.Entry) error {
	c, err := ledger.ParseStatusChange(e)
	if err != nil {
		s.differs(entryName(e.Seq), "it cannot be read: %v", err)
		return nil
	}
	s.log.status, s.log.reason, s.log.completed = c.Status, cmp.Or(c.Reason, s.log.reason), time.Time{}
	if c.Status != firemode.SessionCompleted {
		return nil
	}
	s.log.completed = e.ReceivedAt
	found, err := r.Found(ctx, e.ReceivedAt)
	maps.Copy(s.results, found)
	return err
}

// compareOutcomes reports the changes whose outcome is another than the client was told. If the
// numbers of outcomes differ, checkEntry has reported that.
func (s *verification) compareOutcomes(e ledger.Entry, rebuilt []ledger.Outcome) {
	if len(e.Outcomes) != len(rebuilt) || e.MergedSeq != e.Seq {
		return
	}
	for i, o := range rebuilt {
		if o.Status != e.Outcomes[i].Status {
			s.differs(entryName(e.Seq),
				"change %d is stored as %q and comes out as %q", i, e.Outcomes[i].Status, o.Status)
		}
	}
}

// applyActions applies what people did with derived rows before log entry seq.
func (s *verification) applyActions(ctx context.Context, tx store.Tx, seq int64) error {
	for _, r := range s.recomputers {
		if err := r.Before(ctx, tx, seq); err != nil {
			return err
		}
	}
	return nil
}

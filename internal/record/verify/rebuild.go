package verify

import (
	"cmp"
	"maps"
	"math"
	"time"

	"firemode"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// rebuild checks each log entry and merges it again in the scratch store. It goes group by group, since one
// transaction for the whole log would hold all of it in memory.
func (a *auditor) rebuild(scratch store.Store) error {
	var group []ledger.Entry
	err := store.As[store.EntryReader](a.tx).EachEntry(a.ctx, a.ref, 1, func(e ledger.Entry) error {
		a.checkEntry(e)
		a.log.seq, a.log.hash = e.Seq, e.Hash
		a.log.frontier = a.log.frontier.Append(a.log.entries, e.Hash)
		a.log.entries++
		if len(group) > 0 && !together(group[0], e) {
			if err := a.rebuildGroup(scratch, group); err != nil {
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
		if err := a.rebuildGroup(scratch, group); err != nil {
			return err
		}
	}
	return scratch.Update(a.ctx, func(tx store.Tx) error { return a.repeat(tx, math.MaxInt64) })
}

// together reports whether two neighbours in the log were merged in one transaction, whose time both carry. It
// matters, since what follows from the document was derived once for all of them: a defect was found by the
// earliest reading of its group.
func together(a, b ledger.Entry) bool {
	return a.Kind == ledger.EntryChanges && b.Kind == ledger.EntryChanges && a.ReceivedAt.Equal(b.ReceivedAt)
}

func (a *auditor) rebuildGroup(scratch store.Store, group []ledger.Entry) error {
	return scratch.Update(a.ctx, func(tx store.Tx) error {
		if err := a.repeat(tx, group[0].Seq); err != nil {
			return err
		}
		locked, err := store.As[store.SessionWriter](tx).LockSessions(a.ctx, a.ref.Org, []firemode.SessionID{a.ref.Session})
		if err != nil {
			return err
		}
		r := a.Merge.Rebuild(a.ctx, tx, locked[0], group[0].ReceivedAt)
		for _, e := range group {
			outcomes, err := r.Add(e)
			if err != nil {
				return err
			}
			a.compareOutcomes(e, outcomes)
			if e.Kind != ledger.EntryStatus {
				if a.log.status == firemode.SessionPending {
					a.log.status = firemode.SessionActive
				}
				continue
			}
			c, err := ledger.ParseStatusChange(e)
			if err != nil {
				a.differs(entryName(e.Seq), "it cannot be read: %v", err)
				continue
			}
			a.log.status, a.log.reason, a.log.finished = c.Status, cmp.Or(c.Reason, a.log.reason), time.Time{}
			if c.Status == firemode.SessionCompleted {
				a.log.finished = e.ReceivedAt
				found, err := r.Found(e.ReceivedAt)
				if err != nil {
					return err
				}
				maps.Copy(a.found, found)
			}
		}
		return r.Finish()
	})
}

// compareOutcomes reports changes that come out otherwise than they were answered. Where their numbers differ
// checkEntry has said so.
func (a *auditor) compareOutcomes(e ledger.Entry, rebuilt []ledger.Outcome) {
	if len(e.Outcomes) != len(rebuilt) || e.MergedSeq != e.Seq {
		return
	}
	for i, o := range rebuilt {
		if o.Status != e.Outcomes[i].Status {
			a.differs(entryName(e.Seq), "change %d was answered %q and comes out as %q", i, e.Outcomes[i].Status, o.Status)
		}
	}
}

// repeat repeats what people did with derived rows before log entry seq.
func (a *auditor) repeat(tx store.Tx, seq int64) error {
	for _, r := range a.recomputers {
		if err := r.Before(a.ctx, tx, seq); err != nil {
			return err
		}
	}
	return nil
}

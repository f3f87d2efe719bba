package verify

import (
	"fmt"
	"iter"
	"maps"
	"reflect"
	"slices"

	"firemode"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// compare reports what is stored otherwise than the replay came out.
func (a *auditor) compare(rebuilt store.ReadTx) error {
	for _, check := range []func(store.ReadTx) error{a.compareLog, a.compareOps, a.compareActors, a.compareItems, a.compareCounts, a.compareResults} {
		if err := check(rebuilt); err != nil {
			return err
		}
	}
	for _, r := range a.recomputers {
		if err := r.Compare(a.ctx, a.tx, rebuilt); err != nil {
			return err
		}
	}
	return nil
}

// compareLog compares what is not hashed of the log, because it follows from later entries.
func (a *auditor) compareLog(rebuilt store.ReadTx) error {
	var failed error
	each := func(tx store.ReadTx) iter.Seq[ledger.Entry] {
		return side(func(fn func(ledger.Entry) error) error {
			return store.As[store.EntryReader](tx).EachEntry(a.ctx, a.ref, 1, fn)
		}, &failed)
	}
	pairs(each(a.tx), each(rebuilt), func(x, y *ledger.Entry) int { return int(x.Seq - y.Seq) }, func(x, y *ledger.Entry) {
		if x != nil && y != nil && (x.MergedSeq != y.MergedSeq || x.PrefixSeq != y.PrefixSeq) {
			a.differs(entryName(x.Seq), "merged at %d and in its run at %d; it comes out as %d and %d", x.MergedSeq, x.PrefixSeq, y.MergedSeq, y.PrefixSeq)
		}
	})
	return failed
}

func (a *auditor) compareOps(rebuilt store.ReadTx) error {
	var failed error
	each := func(tx store.ReadTx) iter.Seq[ledger.Op] {
		return side(func(fn func(ledger.Op) error) error { return store.As[store.OpReader](tx).EachOp(a.ctx, a.ref, fn) }, &failed)
	}
	pairs(each(a.tx), each(rebuilt), compareOps, func(x, y *ledger.Op) {
		switch {
		case x == nil:
			a.differs("ops "+opName(y), "it is missing")
		case y == nil:
			a.differs("ops "+opName(x), "it does not follow from the log")
		case !reflect.DeepEqual(x, y):
			a.differs("ops "+opName(x), "it is stored as %s and comes out as %s", describeOp(x), describeOp(y))
		}
	})
	return failed
}

func compareOps(x, y *ledger.Op) int {
	switch {
	case x.Path.Key() != y.Path.Key():
		return compareStrings(x.Path.Key(), y.Path.Key())
	case x.Seq != y.Seq:
		return int(x.Seq - y.Seq)
	default:
		return x.Index - y.Index
	}
}

func compareStrings(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	default:
		return 0
	}
}

func opName(op *ledger.Op) string { return string(op.Path) + " " + op.Dot.String() }

func describeOp(op *ledger.Op) string {
	return fmt.Sprintf("%s %s (time %d, sum %d, merged %d, covered %d, contested %t, names %v, origin %+v)",
		op.Kind, op.Value, op.Time, op.Sum, op.Merged, op.SupersededSeq, op.Contested, op.Names, *op.Origin)
}

// compareActors compares what follows from the log and the quarantine; what was delivered to a client does not.
func (a *auditor) compareActors(rebuilt store.ReadTx) error {
	stored, err := store.As[store.ActorReader](a.tx).Actors(a.ctx, a.ref, nil)
	if err != nil {
		return err
	}
	rebuilt_, err := store.As[store.ActorReader](rebuilt).Actors(a.ctx, a.ref, nil)
	if err != nil {
		return err
	}
	byID := map[crdt.ActorID]ledger.Actor{}
	for _, actor := range rebuilt_ {
		byID[actor.ID] = actor
	}
	for _, x := range stored {
		y, posted := byID[x.ID]
		delete(byID, x.ID)
		if !posted { // bound by a GET, or fresh after a fork, and nothing posted yet
			y = ledger.Actor{ID: x.ID, Client: string(x.ID), ClientType: x.ClientType, User: x.User}
		}
		if q, fresh := a.parents[x.ID]; fresh {
			y.Parent, y.User = q.Actor, q.User
			delete(a.parents, x.ID)
		} else if x.Parent != "" {
			a.differs("quarantine "+string(x.ID), "it is missing: this client id was made for a batch of a copied phone")
		}
		if x.Delivered < 0 || x.Delivered > a.head.Seq {
			a.differs("actors "+string(x.ID), "entry %d was delivered to it, and the log ends at %d", x.Delivered, a.head.Seq)
		}
		x.Delivered = 0
		if !reflect.DeepEqual(x, y) {
			a.differs("actors "+string(x.ID), "it is stored as %+v and comes out as %+v", x, y)
		}
	}
	for id := range byID {
		a.differs("actors "+string(id), "it is missing")
	}
	for id := range a.parents {
		a.differs("actors "+string(id), "it is missing, and a batch in quarantine was given to it")
	}
	return nil
}

func (a *auditor) compareItems(rebuilt store.ReadTx) error {
	stored, err := a.items()
	if err != nil {
		return err
	}
	ids := make([]firemode.ItemID, len(stored))
	for i, item := range stored {
		ids[i] = item.ID
	}
	rebuilt_, err := store.As[store.ItemReader](rebuilt).ItemsByID(a.ctx, a.ref.Org, a.ref.Session, ids)
	if err != nil {
		return err
	}
	byID := map[firemode.ItemID]firemode.Item{}
	for _, item := range rebuilt_ {
		byID[item.ID] = item
	}
	for _, x := range stored {
		y := byID[x.ID] // the same rows: what else they hold is checked against the audit log
		if a.head.Tallied < a.head.Seq {
			x.Conflicts = y.Conflicts // not kept by an older binary, and counted anew before they are used
		}
		if x.State != y.State || x.Outcome != y.Outcome || x.Conflicts != y.Conflicts || !slices.Equal(x.Missing, y.Missing) {
			a.differs("items "+string(x.ID), "it is stored as %s %q %q with %d conflicts and comes out as %s %q %q with %d",
				x.State, x.Outcome, x.Missing, x.Conflicts, y.State, y.Outcome, y.Missing, y.Conflicts)
		}
	}
	return nil
}

func (a *auditor) compareCounts(rebuilt store.ReadTx) error {
	head, err := store.As[store.HeadReader](rebuilt).Head(a.ctx, a.ref)
	if err != nil {
		return err
	}
	type counts struct {
		Done, Conflicts, Gaps, Late int
		Batches, ChangedSeq         int64
		ChangedAt                   int64
	}
	of := func(h ledger.Head) counts {
		return counts{h.Done, h.Conflicts, h.Gaps, h.Late, h.Batches, h.ChangedSeq, store.Micros(h.ChangedAt)}
	}
	if a.head.Tallied > a.head.Seq {
		a.differs("session_heads", "conflicts are counted up to entry %d, and the log ends at %d", a.head.Tallied, a.head.Seq)
	}
	if x, y := of(a.head), of(head); x != y {
		a.differs("session_heads", "its counts are stored as %+v and come out as %+v", x, y)
	}
	return nil
}

// compareResults compares what later visits are shown of this one. What a visit that was completed later has replaced is that visit's.
func (a *auditor) compareResults(store.ReadTx) error {
	stored, err := store.As[store.SessionReader](a.tx).LastResults(a.ctx, a.ref.Org, a.session.Building)
	if err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(stored)) {
		x, y := stored[id], a.found[id]
		if x.Session == a.ref.Session && (x.Outcome != y.Outcome || !maps.Equal(x.Measurements, y.Measurements) || !x.CompletedAt.Equal(y.CompletedAt)) {
			a.differs("last_results "+string(id), "it is stored as %+v and comes out as %+v", x, y)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(a.found)) {
		x, kept := stored[id]
		if !kept || x.Session != a.ref.Session && !x.CompletedAt.After(a.found[id].CompletedAt) {
			a.differs("last_results "+string(id), "it is missing, or said to be of session %s", x.Session)
		}
	}
	return nil
}

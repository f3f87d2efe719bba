package mergetest

import (
	"fmt"
	"reflect"
	"slices"

	"firemode"
	"firemode/internal/record/crdt"
	"firemode/internal/record/crdt/oracle"
	"firemode/internal/record/ledger"
)

// Truth is what the oracle makes of the log.
func (f *Facts) Truth() oracle.State { return f.History(f.Head.Seq).State() }

// Compare returns how what is stored beside the log differs from what follows from it, nil when it
// does not. truth is f.Truth().
func (f *Facts) Compare(truth oracle.State) error {
	return All(f.compareOps(truth), f.compareActors(), f.compareHead(truth), f.compareItems(truth))
}

// compareOps holds the table of operations to the log and to the oracle.
func (f *Facts) compareOps(truth oracle.State) error {
	var stored, fromLog, live, trulyLive []string
	for _, row := range f.Rows {
		stored = append(stored, describeOp(row.Op, row.Merged))
		if row.SupersededSeq == 0 {
			live = append(live, fmt.Sprint(row.Path, " ", row.Dot, " contested ", row.Contested))
		}
	}
	for i, b := range f.Log {
		if Merged(b, f.Head.Seq) {
			for _, op := range f.Ops(i) {
				fromLog = append(fromLog, describeOp(op, b.MergedSeq))
			}
		}
	}
	for _, op := range truth.Live {
		trulyLive = append(trulyLive, fmt.Sprint(op.Path, " ", op.Dot, " contested ", truth.Contested(op)))
	}
	for _, list := range [][]string{stored, fromLog, live, trulyLive} {
		slices.Sort(list)
	}
	return All(Same("operations", stored, fromLog), Same("live operations", live, trulyLive))
}

func describeOp(op crdt.Op, merged int64) string {
	return fmt.Sprint(
		op.Path,
		" ",
		op.Dot,
		" ",
		op.Kind,
		" ",
		op.Value,
		" ",
		op.Names,
		" ",
		op.Time,
		" ",
		op.Sum,
		" ",
		op.Foreign,
		" ",
		op.Seq,
		" ",
		merged,
	)
}

// compareActors holds that what is missing of an actor is reported, and nothing else.
func (f *Facts) compareActors() error {
	for id, a := range f.Actors {
		held, merged := f.Numbers(id, 0), f.Numbers(id, f.Head.Seq)
		if err := Same(fmt.Sprint("batches of ", id), fmt.Sprint(a.Held, a.Merged, a.Held.Missing()), fmt.Sprint(held,
			merged, held.Missing())); err != nil {
			return err
		}
	}
	for _, b := range f.Log {
		if _, bound := f.Actors[b.Actor]; b.Kind == ledger.EntryChanges && !bound {
			return fmt.Errorf("%s is no actor", b.Actor)
		}
	}
	return Same("clock", fmt.Sprint(f.Clock), fmt.Sprint(f.Runs(f.Head.Seq)))
}

func (f *Facts) compareHead(truth oracle.State) error {
	var gaps, late int
	var batches int64
	for id := range f.Actors {
		if len(f.Numbers(id, 0).Missing()) > 0 {
			gaps++
		}
	}
	for _, b := range f.Log {
		if b.Kind == ledger.EntryChanges {
			batches++
			if b.MergedSeq == 0 {
				late++
			}
		}
	}
	return All(
		Same("last entry", f.Head.Seq, int64(len(f.Log))),
		Same("gaps", f.Head.Gaps, gaps),
		Same("late", f.Head.Late, late),
		Same(
			"batches",
			f.Head.Batches,
			batches,
		),
		Same("tallied", f.Head.Tallied, f.Head.Seq),
		Same("conflicts", f.Head.Conflicts, len(truth.Conflicts())),
	)
}

// compareItems holds the state of an item without checks to what is live at and below it.
func (f *Facts) compareItems(truth oracle.State) error {
	done := 0
	for _, item := range f.Items {
		want := wantState(truth, item.ID)
		if want == firemode.ItemDone {
			done++
		}
		open := len(conflictsOf(truth, item.ID))
		if err := All(Same(fmt.Sprint("item ", item.ID), item.State, want), Same(fmt.Sprint("conflicts of ", item.ID),
			item.Conflicts, open)); err != nil {
			return err
		}
	}
	return Same("done", f.Head.Done, done)
}

func conflictsOf(truth oracle.State, id firemode.ItemID) []oracle.Conflict {
	top := crdt.Pointer("/items/" + id)
	return slices.DeleteFunc(truth.Conflicts(), func(c oracle.Conflict) bool { return !top.Holds(c.Path) })
}

func wantState(truth oracle.State, id firemode.ItemID) firemode.ItemState {
	top := crdt.Pointer("/items/" + id)
	switch {
	case len(conflictsOf(truth, id)) > 0:
		return firemode.ItemDisputed
	case slices.ContainsFunc(truth.Live, func(op *crdt.Op) bool { return top.Holds(op.Path) && op.Kind != crdt.Remove }):
		return firemode.ItemDone
	}
	return firemode.ItemUntouched
}

// Describe puts conflicts, whose ids are made under key, into words that can be compared, in an
// order of their own.
func Describe(key []byte, open []oracle.Conflict) []string {
	var all []string
	for _, c := range open {
		var siblings []string
		for _, op := range c.Siblings {
			siblings = append(siblings, fmt.Sprint(op.Path, " ", op.Dot, " ", op.Kind))
		}
		slices.Sort(siblings)
		all = append(
			all,
			fmt.Sprint(c.Path, " ", c.Kind, " ", crdt.ConflictID(key, c.Path, c.Siblings), " ", len(siblings), " ", siblings),
		)
	}
	slices.Sort(all)
	return all
}

// Same returns how got differs from want, nil when it does not. Lists without elements are the
// same.
func Same[T any](what string, got, want T) error {
	if reflect.DeepEqual(got, want) || fmt.Sprint(got) == "[]" && fmt.Sprint(want) == "[]" {
		return nil
	}
	return fmt.Errorf("%s:\n\t%v\nwant\n\t%v", what, got, want)
}

// All returns the first error.
func All(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

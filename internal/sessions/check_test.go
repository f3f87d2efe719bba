package sessions_test

import (
	"bytes"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"firemode"
	"firemode/internal/crdt"
	"firemode/internal/crdt/oracle"
	"firemode/internal/sessions"
	"firemode/internal/store"
)

// check compares what is stored, and shown, after exchanges with the oracle, and their answers with the model.
func (p *play) check(done []exchange) error {
	f, err := readFacts(p.ctx, p.store, p.ref)
	if err != nil {
		return err
	}
	if p.facts == nil {
		p.facts = f
	}
	err = p.compare(f, done)
	p.facts = f
	if err != nil {
		return fmt.Errorf("%w\nthe log:\n%s", err, f)
	}
	return nil
}

func (p *play) compare(f *facts, done []exchange) error {
	entry := len(p.facts.log)
	for i, ex := range done {
		used, err := p.hear(f, ex, entry)
		if err != nil {
			return fmt.Errorf("request %d, %s by %s: %w", i, ex.Key, ex.writer(), err)
		}
		if used {
			entry++
		}
	}
	if done != nil && len(f.log) != entry {
		return fmt.Errorf("the log has %d entries, want %d", len(f.log), entry)
	}
	truth := f.history(f.head.Seq).State()
	return all(p.compareLog(f), f.compareOps(truth), f.compareActors(), f.compareHead(truth), f.compareItems(truth), p.compareShown(f, truth))
}

// compareLog holds that the log is gapless and chained, that what was in it still is, and that what was acknowledged is in it.
func (p *play) compareLog(f *facts) error {
	var prev []byte
	held := 0
	for i, b := range f.log {
		if b.Seq != int64(i+1) || !bytes.Equal(b.Prev, prev) || !b.Sealed(p.ref) {
			return fmt.Errorf("log entry %d at place %d does not continue the chain", b.Seq, i+1)
		}
		prev = b.Hash
		if b.Kind != store.EntryChanges {
			continue
		}
		held++
		if k, known := p.model.known[b.Actor][b.Number]; !known || !bytes.Equal(k.Content[:], b.Content) {
			return fmt.Errorf("log entry %d is %s:%d, which was not acknowledged", b.Seq, b.Actor, b.Number)
		}
	}
	acknowledged := 0
	for _, numbers := range p.model.known {
		acknowledged += len(numbers)
	}
	for i, b := range p.facts.log {
		if i >= len(f.log) || !bytes.Equal(b.Hash, f.log[i].Hash) || p.facts.head.Seq > f.head.Seq {
			return fmt.Errorf("log entry %d is not what it was", b.Seq)
		}
	}
	return same("acknowledged batches in the log", held, acknowledged)
}

// compareOps holds the table of operations to the log and to the oracle.
func (f *facts) compareOps(truth oracle.State) error {
	var stored, fromLog, live, trulyLive []string
	for _, row := range f.rows {
		stored = append(stored, describeOp(row.Op, row.Merged))
		if row.Covered == 0 {
			live = append(live, fmt.Sprint(row.Path, " ", row.Dot, " contested ", row.Contested))
		}
	}
	for i, b := range f.log {
		if merged(b, f.head.Seq) {
			for _, op := range f.ops(i) {
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
	return all(same("operations", stored, fromLog), same("live operations", live, trulyLive))
}

func describeOp(op crdt.Op, merged int64) string {
	return fmt.Sprint(op.Path, " ", op.Dot, " ", op.Kind, " ", op.Value, " ", op.Names, " ", op.Time, " ", op.Sum, " ", op.Foreign, " ", op.Seq, " ", merged)
}

// compareActors holds that what is missing of an actor is reported, and nothing else.
func (f *facts) compareActors() error {
	for id, a := range f.actors {
		held, merged := f.numbers(id, 0), f.numbers(id, f.head.Seq)
		if err := same(fmt.Sprint("batches of ", id), fmt.Sprint(a.Held, a.Merged, a.Held.Missing()), fmt.Sprint(held, merged, held.Missing())); err != nil {
			return err
		}
	}
	for _, b := range f.log {
		if _, bound := f.actors[b.Actor]; b.Kind == store.EntryChanges && !bound {
			return fmt.Errorf("%s is no actor", b.Actor)
		}
	}
	return same("clock", fmt.Sprint(f.clock), fmt.Sprint(f.runs(f.head.Seq)))
}

func (f *facts) compareHead(truth oracle.State) error {
	var gaps, late int
	var batches int64
	for id := range f.actors {
		if len(f.numbers(id, 0).Missing()) > 0 {
			gaps++
		}
	}
	for _, b := range f.log {
		if b.Kind == store.EntryChanges {
			batches++
			if b.MergedSeq == 0 {
				late++
			}
		}
	}
	return all(
		same("last entry", f.head.Seq, int64(len(f.log))), same("gaps", f.head.Gaps, gaps), same("late", f.head.Late, late),
		same("batches", f.head.Batches, batches), same("tallied", f.head.Tallied, f.head.Seq), same("conflicts", f.head.Conflicts, len(truth.Conflicts())),
	)
}

// compareItems holds the state of an item without checks to what is live at and below it.
func (f *facts) compareItems(truth oracle.State) error {
	done := 0
	for _, item := range f.items {
		want := wantState(truth, item.ID)
		if want == firemode.ItemDone {
			done++
		}
		open := len(conflictsOf(truth, item.ID))
		if err := all(same(fmt.Sprint("item ", item.ID), item.State, want), same(fmt.Sprint("conflicts of ", item.ID), item.Conflicts, open)); err != nil {
			return err
		}
	}
	return same("done", f.head.Done, done)
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

// compareShown reads the whole document, telling nobody, and compares it with the oracle's.
func (p *play) compareShown(f *facts, truth oracle.State) error {
	var a answer
	if err := p.service.Results(firemode.WithPrincipal(p.ctx, p.boss()), sessions.Query{Session: p.ref.Session}, &a); err != nil {
		return err
	}
	p.model.open = a.conflicts
	var late []int64
	for _, b := range a.late {
		late = append(late, b.Seq)
	}
	var waiting []int64
	for _, b := range f.log {
		if b.Kind == store.EntryChanges && b.MergedSeq == 0 {
			waiting = append(waiting, b.Seq)
		}
	}
	return all(
		same("document", a.document(), truth.Document()), same("conflicts", described(a.conflicts), describedTruth(truth.Conflicts())),
		same("clock shown", fmt.Sprint(a.Clock), fmt.Sprint(f.runs(f.head.Seq))), same("late", late, waiting), same("complete", a.Complete, true),
		p.model.stable(a.conflicts), p.grown(a),
	)
}

// stable holds that a conflict has the same id whenever it is shown, and no other has it.
func (m *model) stable(open []sessions.Conflict) error {
	for _, c := range open {
		var what []string
		for _, v := range c.Values {
			what = append(what, fmt.Sprint(v.Path, " ", v.Dot))
		}
		slices.Sort(what)
		words := fmt.Sprint(c.Path, " ", what)
		if id, known := m.ids[words]; known && id != c.ID {
			return fmt.Errorf("the conflict %s was %s and is %s", words, id, c.ID)
		}
		m.ids[words] = c.ID
		if !slices.ContainsFunc(m.shown, func(s sessions.Conflict) bool { return s.ID == c.ID }) {
			m.shown = append(m.shown, c)
		}
	}
	if ids := slices.Collect(maps.Values(m.ids)); len(ids) != len(slices.Compact(slices.Sorted(slices.Values(ids)))) {
		return fmt.Errorf("two conflicts have one id: %v", m.ids)
	}
	return nil
}

// grown holds that the clock and the number of the document never go back.
func (p *play) grown(a answer) error {
	for id, n := range p.facts.clock {
		if a.Clock[id] < n {
			return fmt.Errorf("the clock of %s went back from %d to %d", id, n, a.Clock[id])
		}
	}
	if a.Seq < p.facts.head.Seq {
		return fmt.Errorf("the number went back from %d to %d", p.facts.head.Seq, a.Seq)
	}
	return nil
}

func (p *play) boss() firemode.Principal {
	boss := manager
	boss.Org = p.ref.Org
	return boss
}

// same returns how got differs from want, nil when it does not. Lists without elements are the same.
func same[T any](what string, got, want T) error {
	if reflect.DeepEqual(got, want) || fmt.Sprint(got) == "[]" && fmt.Sprint(want) == "[]" {
		return nil
	}
	return fmt.Errorf("%s:\n\t%v\nwant\n\t%v", what, got, want)
}

// all returns the first error.
func all(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

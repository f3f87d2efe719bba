package merge_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	"firemode"
	"firemode/internal/record/crdt/oracle"
	"firemode/internal/record/ledger"
	"firemode/internal/record/merge/mergetest"
	"firemode/internal/record/view"
)

// check compares what is stored, and shown, after exchanges with the oracle, and their answers with
// the model.
func (p *play) check(done []exchange) error {
	f, err := mergetest.Read(p.ctx, p.store, p.ref)
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

func (p *play) compare(f *mergetest.Facts, done []exchange) error {
	entry := len(p.facts.Log)
	for i, ex := range done {
		used, err := p.hear(f, ex, entry)
		if err != nil {
			return fmt.Errorf("request %d, %s by %s: %w", i, ex.Key, ex.writer(), err)
		}
		if used {
			entry++
		}
	}
	if done != nil && len(f.Log) != entry {
		return fmt.Errorf("the log has %d entries, want %d", len(f.Log), entry)
	}
	truth := f.Truth()
	return mergetest.All(p.compareLog(f), f.Compare(truth), p.compareShown(f, truth))
}

// compareLog holds that the log is gapless and chained, that what was in it still is, and that what
// was acknowledged is in it.
func (p *play) compareLog(f *mergetest.Facts) error {
	var prev []byte
	held := 0
	for i, b := range f.Log {
		if b.Seq != int64(i+1) || !bytes.Equal(b.Prev, prev) || !b.Sealed(p.ref) {
			return fmt.Errorf("log entry %d at place %d does not continue the chain", b.Seq, i+1)
		}
		prev = b.Hash
		if b.Kind != ledger.EntryChanges {
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
	for i, b := range p.facts.Log {
		if i >= len(f.Log) || !bytes.Equal(b.Hash, f.Log[i].Hash) || p.facts.Head.Seq > f.Head.Seq {
			return fmt.Errorf("log entry %d is not what it was", b.Seq)
		}
	}
	return mergetest.Same("acknowledged batches in the log", held, acknowledged)
}

// compareShown reads the whole document, telling nobody, and compares it with the oracle's.
func (p *play) compareShown(f *mergetest.Facts, truth oracle.State) error {
	var a answer
	if err := p.service.Results(firemode.WithPrincipal(p.ctx, p.boss()), view.Query{Session: p.ref.Session},
		&a); err != nil {
		return err
	}
	p.model.open = a.conflicts
	var late []int64
	for _, b := range a.late {
		late = append(late, b.Seq)
	}
	var waiting []int64
	for _, b := range f.Log {
		if b.Kind == ledger.EntryChanges && b.MergedSeq == 0 {
			waiting = append(waiting, b.Seq)
		}
	}
	return mergetest.All(
		mergetest.Same(
			"document",
			a.document(),
			truth.Document(),
		),
		mergetest.Same("conflicts", described(a.conflicts), mergetest.Describe(secret, truth.Conflicts())),
		mergetest.Same(
			"clock shown",
			fmt.Sprint(a.Clock),
			fmt.Sprint(f.Runs(f.Head.Seq)),
		),
		mergetest.Same("late", late, waiting),
		mergetest.Same("complete", a.Complete, true),
		p.model.stable(a.conflicts),
		p.grown(a),
	)
}

// stable holds that a conflict has the same id whenever it is shown, and no other has it.
func (m *model) stable(open []ledger.Conflict) error {
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
		if !slices.ContainsFunc(m.shown, func(s ledger.Conflict) bool { return s.ID == c.ID }) {
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
	for id, n := range p.facts.Clock {
		if a.Clock[id] < n {
			return fmt.Errorf("the clock of %s went back from %d to %d", id, n, a.Clock[id])
		}
	}
	if a.Seq < p.facts.Head.Seq {
		return fmt.Errorf("the number went back from %d to %d", p.facts.Head.Seq, a.Seq)
	}
	return nil
}

func (p *play) boss() firemode.Principal {
	boss := manager
	boss.Org = p.ref.Org
	return boss
}

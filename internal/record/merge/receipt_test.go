package merge_test

import (
	"fmt"
	"maps"
	"slices"

	"firemode"
	"firemode/internal/record/crdt"
	"firemode/internal/record/crdt/oracle"
	"firemode/internal/record/ledger"
	"firemode/internal/record/merge"
	"firemode/internal/record/merge/mergetest"
)

// admitted compares log entry i, which a request made, and its receipt with what they must be.
func (p *play) admitted(f *mergetest.Facts, ex exchange, i int) error {
	b, r, m := f.Log[i], ex.answer.Receipt, p.model
	number := ex.draft.number
	if !ex.numbered() {
		number = m.held(ex.writer()).Max() + 1
	}
	context, clamped, cut := m.context(f, ex.post, b.Seq)
	content := crdt.Content(ex.Changes)
	m.admit(ex.writer(), number, crdt.Known{ID: ex.draft.id, PrevID: ex.draft.prev, Content: content})
	if ex.numbered() {
		clamped[ex.writer()] = number
	} else {
		m.keyed[ex.slot()] = number
	}
	var flags []string
	if cut {
		flags = []string{"clock_clamped"}
	}
	status := merge.StatusMerged
	if p.facts.Session.Status == firemode.SessionCompleted {
		status = merge.StatusLate
	}
	return mergetest.All(
		mergetest.Same(
			"writer",
			fmt.Sprint(b.Actor, " ", b.Number, " ", b.User, " ", b.ID, " ", b.PrevID),
			fmt.Sprint(ex.writer(), " ", number, " ", ex.user(), " ", ex.draft.id, " ", ex.draft.prev),
		),
		mergetest.Same("user of the client", f.Actors[b.Actor].User, ex.user()),
		mergetest.Same("delivered to the client", f.Actors[b.Actor].Delivered, m.delivered[b.Actor]),
		submittedBy(b, ex),
		mergetest.Same("content", fmt.Sprintf("%x", b.Content), fmt.Sprintf("%x", content)),
		mergetest.Same("context", fmt.Sprint(b.Context), fmt.Sprint(context)),
		mergetest.Same("clock of the receipt", fmt.Sprint(r.Clock), fmt.Sprint(clamped)),
		mergetest.Same("flags", r.Flags, flags),
		mergetest.Same("status", r.Status, status),
		mergetest.Same("missing", r.Missing, m.held(ex.writer()).Missing()),
		p.outcomes(f, ex, i),
		p.shownOf(f, ex, b.Seq),
	)
}

// submittedBy holds that a batch, and each change of it, tells whether somebody else submitted it.
func submittedBy(b ledger.Entry, ex exchange) error {
	var submitter firemode.UserID
	if ex.Meta.OnBehalfOf != "" {
		submitter = ex.By.User
	}
	for c, o := range b.Outcomes {
		if told := slices.Contains(o.Flags, "submitted_on_behalf"); o.Status != "rejected" && told != (submitter != "") {
			return fmt.Errorf("change %d, submitted by %q, has the flags %v", c, submitter, o.Flags)
		}
	}
	return mergetest.Same("submitter", b.SubmittedBy, submitter)
}

// outcomes compares what became of each change with what the oracle says.
func (p *play) outcomes(f *mergetest.Facts, ex exchange, i int) error {
	b, r := f.Log[i], ex.answer.Receipt
	before := f.History(b.Seq - 1).State()
	superseded := superseded(f, i)
	var wants, stored, answered []string
	applied := 0
	for c := range ex.Changes {
		want := "applied"
		switch {
		case !acceptable(f, ex, c, before, p.model):
			want = "rejected"
		case b.MergedSeq == b.Seq && superseded[c]:
			want = "superseded"
		}
		if want != "rejected" {
			applied++
		}
		wants, stored, answered = append(
			wants,
			want,
		), append(
			stored,
			b.Outcomes[c].Status,
		), append(
			answered,
			r.Results[c].Status,
		)
		if (want == "rejected") != (r.Results[c].Reason != "") {
			return fmt.Errorf("change %d is %s because %q", c, want, r.Results[c].Reason)
		}
	}
	return mergetest.All(
		mergetest.Same("outcomes stored", stored, wants),
		mergetest.Same("outcomes answered", answered, wants),
		mergetest.Same("applied", r.Applied, applied),
		mergetest.Same("duplicates", r.Duplicates, 0),
	)
}

// superseded tells of each change of log entry i whether all that it bears was covered when it was
// merged. A resolve to absent bears nothing, and is never superseded.
func superseded(f *mergetest.Facts, i int) []bool {
	b := f.Log[i]
	superseded := make([]bool, len(b.Outcomes))
	for _, op := range f.Ops(i) {
		superseded[op.Index] = superseded[op.Index] || op.Kind == crdt.Remove || op.Value != ""
	}
	for _, op := range f.History(b.Seq).State().Live {
		if op.Actor == b.Actor && op.Batch == b.Number {
			superseded[op.Index] = false
		}
	}
	return superseded
}

// acceptable reports whether change c of an admitted batch names what it may name.
func acceptable(f *mergetest.Facts, ex exchange, c int, before oracle.State, m *model) bool {
	change := ex.Changes[c]
	switch {
	case change.Rejected != "":
		return false
	case change.Kind == crdt.Resolve:
		return provesConflict(change, before)
	case change.Kind == crdt.Correct:
		return mayCorrect(f, ex, c, before, m)
	}
	return true
}

// provesConflict reports whether a resolve carries the id of a conflict of exactly the readings it
// names: all they wrote there, or what of it is live.
func provesConflict(change crdt.Change, before oracle.State) bool {
	var named, live []*crdt.Op
	found := map[crdt.Dot]bool{}
	for i := range before.Ops {
		op := &before.Ops[i]
		if !slices.Contains(change.Names, op.Dot) || !change.Path.Holds(op.Path) {
			continue
		}
		found[op.Dot] = true
		named = append(named, op)
		if slices.ContainsFunc(before.Live, func(l *crdt.Op) bool { return l.ID() == op.ID() }) {
			live = append(live, op)
		}
	}
	return len(found) == len(change.Names) &&
		(crdt.ConflictID(secret, change.Path, named) == change.ConflictID || crdt.ConflictID(secret, change.Path,
			live) == change.ConflictID)
}

// mayCorrect reports whether the reading that a correct names is an earlier one of its writer,
// arrived or not, or was delivered to it.
func mayCorrect(f *mergetest.Facts, ex exchange, c int, before oracle.State, m *model) bool {
	change, number := ex.Changes[c], ex.draft.number
	d := change.Names[0]
	there := slices.ContainsFunc(before.Ops, func(op crdt.Op) bool { return op.Dot == d && change.Path.Holds(op.Path) })
	switch {
	case d.Actor != ex.writer():
		return d.Batch <= m.seen(f, ex.writer())[d.Actor] && there
	case !ex.numbered() || before.Merged[d.Actor][d.Batch]:
		return there && (!ex.numbered() || d.Batch < number)
	case d.Batch == number:
		return d.Index < c && writes(ex, d, change.Path)
	}
	return d.Batch < number
}

// writes reports whether the change with dot d of the same batch writes at or below p.
func writes(ex exchange, d crdt.Dot, p crdt.Pointer) bool {
	b := crdt.Batch{Actor: d.Actor, Number: d.Batch, Changes: ex.Changes}
	return slices.ContainsFunc(b.Ops(d.Index, crdt.Stamp{}), func(op crdt.Op) bool { return p.Holds(op.Path) })
}

// acknowledged compares the receipt for a batch that is in the log already with what it must be,
// when the log ended at seq.
func (p *play) acknowledged(f *mergetest.Facts, ex exchange, seq int64) error {
	var wants, answered []string
	status := merge.StatusMerged
	for i, b := range f.Log {
		if b.Actor != ex.writer() || b.Number != p.model.numberOf(ex.post) {
			continue
		}
		if b.MergedSeq == 0 {
			status = merge.StatusLate
		}
		for c := range f.Changes[i] {
			want := "duplicate"
			if b.Outcomes[c].Status == "rejected" {
				want = "rejected " + b.Outcomes[c].Reason
			}
			wants = append(wants, want)
		}
	}
	for _, r := range ex.answer.Results {
		got := r.Status
		if r.Reason != "" {
			got += " " + r.Reason
		}
		answered = append(answered, got)
	}
	return mergetest.All(
		mergetest.Same("duplicate", answered, wants),
		mergetest.Same("status of a duplicate", ex.answer.Status, status),
		mergetest.Same("applied", ex.answer.Applied, 0),
		p.shownOf(f, ex, seq),
	)
}

// shownOf compares the conflicts in a receipt with those that were open at and above its paths when
// the log ended at seq.
func (p *play) shownOf(f *mergetest.Facts, ex exchange, seq int64) error {
	at := map[crdt.Pointer]bool{}
	for _, c := range ex.Changes {
		if c.Rejected == "" {
			at[c.Path] = true
			for _, above := range c.Path.Ancestors() {
				at[above] = true
			}
		}
	}
	open := slices.DeleteFunc(
		f.History(seq).State().Conflicts(),
		func(c oracle.Conflict) bool { return !at[c.Path] || len(c.Siblings) > 20 },
	)
	whole := slices.DeleteFunc(
		slices.Clone(ex.answer.Conflicts),
		func(c ledger.Conflict) bool { return c.Count > 20 },
	) // a receipt lists no more
	return mergetest.Same("conflicts of the receipt", described(whole), mergetest.Describe(secret, open))
}

// described puts conflicts into words that can be compared, in an order of their own.
func described(open []ledger.Conflict) []string {
	var all []string
	for _, c := range open {
		siblings := map[string]bool{}
		for _, v := range c.Values {
			siblings[fmt.Sprint(v.Path, " ", v.Dot, " ", v.Op)] = true
		}
		all = append(all, fmt.Sprint(c.Path, " ", c.Kind, " ", c.ID, " ", c.Count, " ", slices.Sorted(maps.Keys(siblings))))
	}
	slices.Sort(all)
	return all
}

package merge

import (
	"context"

	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// mergeBatch makes the batch of a log entry part of the document at number at: that of the entry,
// or of the reopening for a late batch.
func (m *merging) mergeBatch(
	ctx context.Context, e *ledger.Entry, changes []crdt.Change, actor *ledger.Actor, at int64,
) error {
	e.MergedSeq = at
	m.extendPrefix(e, actor, at)
	ops := operationsOf(e, changes)
	later, err := m.later(ctx, e, actor, ops)
	if err != nil {
		return err
	}
	m.record(e, m.state.Merge(ops, later), at)
	m.head.ChangedAt, m.head.ChangedSeq = e.ReceivedAt, at
	return nil
}

// extendPrefix adds a batch to the merged batches of its actor, and records which batches became
// part of the contiguous prefix.
func (m *merging) extendPrefix(e *ledger.Entry, actor *ledger.Actor, at int64) {
	before := actor.Merged.Prefix()
	actor.Merged = actor.Merged.Add(e.Number)
	after := actor.Merged.Prefix()
	m.writes.actors[actor.ID] = true
	if after == before {
		return
	}
	actor.PrefixSeq, e.PrefixSeq = at, at
	if e.Number < after || e.Seq != at { // entries above a gap, or a late one: they are stored without their prefix
		change := store.PrefixChange{Actor: actor.ID, From: before + 1, To: after, Seq: at}
		m.writes.prefixes = append(m.writes.prefixes, change)
	}
}

// operationsOf returns the operations of the changes that were not rejected.
func operationsOf(e *ledger.Entry, changes []crdt.Change) []crdt.Op {
	source := crdt.Batch{Actor: e.Actor, Number: e.Number, Foreign: e.Context, Changes: changes}
	var ops []crdt.Op
	for i, c := range changes {
		outcome := e.Outcomes[i]
		if outcome.Status == changeRejected {
			continue
		}
		origin := &crdt.Origin{
			User: string(e.User), SubmittedBy: string(e.SubmittedBy), Client: e.Client,
			CapturedAt: c.CapturedAt, ReceivedAt: e.ReceivedAt,
			Instrument: c.Instrument, Source: c.Source, Reason: c.Reason, Flags: outcome.Flags,
		}
		if origin.CapturedAt.IsZero() {
			origin.CapturedAt = e.CapturedAt
		}
		for _, op := range source.Ops(i, crdt.Stamp{Time: outcome.Time, Origin: origin}) {
			op.Seq = e.Seq
			ops = append(ops, op)
		}
	}
	return ops
}

// later reads what the actor's batches above e have already done. It is empty for a batch that
// arrives in order.
func (m *merging) later(
	ctx context.Context, e *ledger.Entry, actor *ledger.Actor, ops []crdt.Op,
) (l crdt.Later, err error) {
	if e.Number == actor.Merged.Max() {
		return l, nil
	}
	if err := m.flush(ctx); err != nil { // the queries below must see what this transaction has merged
		return l, err
	}
	l.Batch = crdt.BatchRef{Actor: e.Actor, Number: e.Number}
	if l.Names, err = m.namedAbove(ctx, e, actor); err != nil {
		return l, err
	}
	chain := actor.Merged.RangeOf(e.Number)
	if chain[1] == e.Number {
		return l, nil
	}
	l.Chain = chain
	own, err := m.ports.ownOps.OwnLive(ctx, m.ref, actor.ID, chain)
	if err != nil {
		return l, err
	}
	paths := make([]crdt.Pointer, 0, len(ops)+len(own))
	for i := range ops {
		paths = append(paths, ops[i].Path)
	}
	for i := range own {
		paths = append(paths, own[i].Path)
	}
	if err := m.readAround(ctx, paths); err != nil {
		return l, err
	}
	above := crdt.Range{e.Number + 1, chain[1]}
	l.Sweeps, err = m.ports.ownOps.OwnSweeps(ctx, m.ref, actor.ID, above, crdt.WithAncestors(paths))
	return l, err
}

// namedAbove returns the paths at which a resolve or correct of the actor's batches above e named a
// reading of e.
func (m *merging) namedAbove(
	ctx context.Context, e *ledger.Entry, actor *ledger.Actor,
) (map[crdt.Dot][]crdt.Pointer, error) {
	above, err := m.ports.ownOps.OwnNames(ctx, m.ref, actor.ID, e.Number)
	names := map[crdt.Dot][]crdt.Pointer{}
	for _, op := range above {
		for _, d := range op.Names {
			if d.Actor == e.Actor && d.Batch == e.Number {
				names[d] = append(names[d], op.Path)
			}
		}
	}
	return names, err
}

// record collects what a merge did, and marks changes of e that were superseded when they arrived.
func (m *merging) record(e *ledger.Entry, merged crdt.Merged, at int64) {
	m.supersede(e, merged.Added)
	for _, added := range merged.Added {
		m.writes.addOp(added, at)
		m.known.ops[added.Op.ID()] = true
	}
	for _, op := range merged.Superseded {
		m.writes.update(op, func(u *opUpdate) { u.superseded = at })
	}
	for _, op := range merged.Recontested {
		m.writes.update(op, func(u *opUpdate) { u.noted = at })
	}
	for _, touch := range merged.Touched {
		if live := m.state.Live(touch.Path); touch.Before != touch.After && len(live) > 0 {
			// The conflict has changed though perhaps no operation at this path did: a gap was
			// closed elsewhere.
			m.writes.update(live[0], func(u *opUpdate) { u.noted = at })
		}
		m.countTouch(touch)
	}
}

// supersede marks each change of which every operation was superseded when it arrived. A change
// without a value or a removal, such as a resolve to absent, cannot be superseded.
func (m *merging) supersede(e *ledger.Entry, added []crdt.Added) {
	hasValue, current := make([]bool, len(e.Outcomes)), make([]bool, len(e.Outcomes))
	for _, a := range added {
		if a.Op.Kind == crdt.Remove || a.Op.Value != "" {
			hasValue[a.Op.Index] = true
			current[a.Op.Index] = current[a.Op.Index] || !a.Superseded
		}
	}
	for i := range e.Outcomes {
		if e.Outcomes[i].Status == changeApplied && hasValue[i] && !current[i] {
			e.Outcomes[i].Status = changeSuperseded
		}
	}
}

// countTouch counts what a merge did to the conflict at a path, and records the item of the path.
func (m *merging) countTouch(t crdt.Touch) {
	opened := 0
	switch {
	case t.Before == "" && t.After != "":
		opened = 1
		m.newConflicts++
	case t.Before != "" && t.After == "":
		opened = -1
	}
	m.head.Conflicts += opened
	m.touchItem(t.Path, opened)
}

package merge

import (
	"fmt"

	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// problem says why a change cannot be applied; the zero value is none.
type problem struct {
	reason   string
	conflict *ledger.Conflict // beside a resolve: the conflict as it is now
}

// problems checks the changes of a job against the state before it.
func (m *merging) problems(j *job) ([]problem, error) {
	found := make([]problem, len(j.in.Changes))
	held, err := m.heldDots(j.in.Changes)
	if err != nil {
		return nil, err
	}
	for i, c := range j.in.Changes {
		switch {
		case c.Rejected != "":
			found[i].reason = c.Rejected
		case c.Kind == crdt.Resolve:
			found[i] = m.resolveProblem(c, held)
		case c.Kind == crdt.Correct:
			found[i].reason = m.correctProblem(j, i, held)
		}
	}
	return found, nil
}

// heldDots returns the merged operations that changes name, live or not.
func (m *merging) heldDots(changes []crdt.Change) (map[crdt.Dot][]*crdt.Op, error) {
	var dots []crdt.Dot
	for _, c := range changes {
		if c.Rejected == "" {
			dots = append(dots, c.Names...)
		}
	}
	if len(dots) == 0 {
		return nil, nil
	}
	if err := m.flush(); err != nil { // so that the query sees what this transaction has merged
		return nil, err
	}
	ops, err := store.As[store.OpReader](m.tx).OpsByDot(m.ctx, m.ref, dots)
	held := map[crdt.Dot][]*crdt.Op{}
	for i := range ops {
		op := &ops[i].Op
		held[op.Dot] = append(held[op.Dot], op)
	}
	return held, err
}

// resolveProblem holds a resolve to what proves that its writer was shown the conflict: every dot it names is held at or below
// its path, and the id made from them is the one it carries.
func (m *merging) resolveProblem(c crdt.Change, held map[crdt.Dot][]*crdt.Op) problem {
	var all, live []*crdt.Op
	isLive := map[crdt.OpID]bool{}
	m.state.EachLive(c.Path, func(op *crdt.Op) { isLive[op.ID()] = true })
	for _, d := range c.Names {
		found := false
		for _, op := range held[d] {
			if !c.Path.Holds(op.Path) {
				continue
			}
			found = true
			all = append(all, op)
			if isLive[op.ID()] {
				live = append(live, op)
			}
		}
		if !found {
			return m.stale(c, fmt.Sprintf("there is no reading %s at this path", d))
		}
	}
	// An object value wrote several readings under one dot, some of which may not have been part of the conflict: then those
	// that are still live were.
	if crdt.ConflictID(m.head.Key, c.Path, all) != c.ConflictID && crdt.ConflictID(m.head.Key, c.Path, live) != c.ConflictID {
		return m.stale(c, "the dots are not those of the conflict with this id")
	}
	return problem{}
}

func (m *merging) stale(c crdt.Change, reason string) problem {
	p := problem{reason: reason}
	if now, open := m.state.Conflict(c.Path, m.head.Key); open {
		described := ledger.DescribeConflict(now, maxShownSiblings)
		p.conflict = &described
	}
	return p
}

// correctProblem lets a correction replace an earlier reading of its own writer, which may arrive later, or one that was
// delivered to the writer.
func (m *merging) correctProblem(j *job, index int, held map[crdt.Dot][]*crdt.Op) string {
	c := j.in.Changes[index]
	d := c.Names[0]
	at := func() string {
		for _, op := range held[d] {
			if c.Path.Holds(op.Path) {
				return ""
			}
		}
		return fmt.Sprintf("there is no reading %s at this path", d)
	}
	actor := m.actors[j.actor]
	switch {
	case d.Actor != j.actor:
		if m.deliveredRun(j.actor, d.Actor) < d.Batch {
			return fmt.Sprintf("the reading %s was not delivered to this client", d)
		}
		return at()
	case j.number == 0: // the server counts: everything held is earlier
		if actor == nil || !actor.Merged.Contains(d.Batch) {
			return fmt.Sprintf("there is no reading %s", d)
		}
		return at()
	case d.Batch > j.number || d.Batch == j.number && d.Index >= index:
		return fmt.Sprintf("%s is not an earlier reading of this client", d)
	case d.Batch == j.number:
		if !c.Path.Holds(j.in.Changes[d.Index].Path) {
			return fmt.Sprintf("there is no reading %s at this path", d)
		}
		return ""
	case actor != nil && actor.Merged.Contains(d.Batch):
		return at()
	default:
		return "" // it may arrive later
	}
}

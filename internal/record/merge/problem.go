package merge

import (
	"context"
	"fmt"

	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
)

// problem is why a change cannot be applied. The zero problem means that it can.
type problem struct {
	reason   string
	conflict *ledger.Conflict // beside a resolve: the conflict as it is now
}

// problemsOf checks each change of a job against the state before the job.
func (m *merging) problemsOf(ctx context.Context, j *job) ([]problem, error) {
	found := make([]problem, len(j.in.Changes))
	named, err := m.namedOps(ctx, j.in.Changes)
	if err != nil {
		return nil, err
	}
	for i, c := range j.in.Changes {
		switch {
		case c.Rejected != "":
			found[i].reason = c.Rejected
		case c.Kind == crdt.Resolve:
			found[i] = m.resolveProblem(c, named)
		case c.Kind == crdt.Correct:
			found[i].reason = m.correctProblem(j, i, named)
		}
	}
	return found, nil
}

// namedOps returns the merged operations that changes name, live or not.
func (m *merging) namedOps(ctx context.Context, changes []crdt.Change) (map[crdt.Dot][]*crdt.Op, error) {
	var dots []crdt.Dot
	for _, c := range changes {
		if c.Rejected == "" {
			dots = append(dots, c.Names...)
		}
	}
	if len(dots) == 0 {
		return nil, nil
	}
	if err := m.flush(ctx); err != nil { // the query must see what this transaction has merged
		return nil, err
	}
	ops, err := m.ports.ops.OpsByDot(ctx, m.ref, dots)
	named := map[crdt.Dot][]*crdt.Op{}
	for i := range ops {
		op := &ops[i].Op
		named[op.Dot] = append(named[op.Dot], op)
	}
	return named, err
}

// resolveProblem checks that the writer of a resolve was shown the conflict: every dot that it
// names is merged at or below its path, and the conflict id computed from them is the one that it
// carries.
func (m *merging) resolveProblem(c crdt.Change, named map[crdt.Dot][]*crdt.Op) problem {
	var all, live []*crdt.Op
	isLive := map[crdt.OpID]bool{}
	m.state.EachLive(c.Path, func(op *crdt.Op) { isLive[op.ID()] = true })
	for _, d := range c.Names {
		found := false
		for _, op := range named[d] {
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
			return m.staleResolve(c, fmt.Sprintf("there is no reading %s at this path", d))
		}
	}
	// An object value writes several readings under one dot. Some of them may not have been part of
	// the conflict: then it was made of those that are still live.
	key := m.head.Key
	if crdt.ConflictID(key, c.Path, all) != c.ConflictID && crdt.ConflictID(key, c.Path, live) != c.ConflictID {
		return m.staleResolve(c, "the dots are not those of the conflict with this id")
	}
	return problem{}
}

// staleResolve returns the problem of a resolve with the conflict that is open at its path, if
// there is one.
func (m *merging) staleResolve(c crdt.Change, reason string) problem {
	p := problem{reason: reason}
	if now, open := m.state.Conflict(c.Path, m.head.Key); open {
		described := ledger.DescribeConflict(now, maxShownSiblings)
		p.conflict = &described
	}
	return p
}

// correctProblem returns why a correct may not replace the reading it names, "" if it may. It may
// replace an earlier reading of its own writer, arrived or not, or a reading that was delivered to
// the writer.
func (m *merging) correctProblem(j *job, index int, named map[crdt.Dot][]*crdt.Op) string {
	c := j.in.Changes[index]
	d := c.Names[0]
	atPath := func() string {
		for _, op := range named[d] {
			if c.Path.Holds(op.Path) {
				return ""
			}
		}
		return fmt.Sprintf("there is no reading %s at this path", d)
	}
	actor := m.known.actors[j.actor]
	switch {
	case d.Actor != j.actor:
		if m.known.delivered(j.actor, d.Actor) < d.Batch {
			return fmt.Sprintf("the reading %s was not delivered to this client", d)
		}
		return atPath()
	case j.number == 0: // the server numbers the batches: all that is merged is earlier
		if actor == nil || !actor.Merged.Contains(d.Batch) {
			return fmt.Sprintf("there is no reading %s", d)
		}
		return atPath()
	case d.Batch > j.number || d.Batch == j.number && d.Index >= index:
		return fmt.Sprintf("%s is not an earlier reading of this client", d)
	case d.Batch == j.number:
		if !c.Path.Holds(j.in.Changes[d.Index].Path) {
			return fmt.Sprintf("there is no reading %s at this path", d)
		}
		return ""
	case actor != nil && actor.Merged.Contains(d.Batch):
		return atPath()
	default:
		return "" // it may arrive later
	}
}

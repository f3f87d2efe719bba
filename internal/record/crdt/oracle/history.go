// Package oracle computes the expected result of a merge directly from the definition in the
// comment of package crdt. It compares every operation with every other and keeps no state between
// calls. It is far too slow for production; tests compare the engine with it.
//
// It shares the vocabulary of the engine (operations, dots, paths, values) and none of its rules:
// what supersedes, what ranks higher, what is a conflict and how the document is written are
// implemented a second time.
package oracle

import "firemode/internal/record/crdt"

// History is a set of stored operations, in no order that matters.
type History struct {
	// Ops have the clamped foreign contexts that were stored with them.
	Ops []crdt.Op
	// Merged holds the numbers of each actor's batches that are in the document, empty ones
	// included.
	Merged map[crdt.ActorID]map[int64]bool
}

// saw reports whether a is in the context of b: its writer's own earlier operation, as far back as
// the chain of that writer's batches is unbroken, or one that a foreign entry of its clock holds.
func (h History) saw(b, a *crdt.Op) bool {
	if a.Actor != b.Actor {
		return a.Batch <= b.Foreign[a.Actor]
	}
	if a.Batch == b.Batch {
		return a.Index < b.Index
	}
	for n := a.Batch; n <= b.Batch; n++ {
		if !h.Merged[a.Actor][n] {
			return false
		}
	}
	return a.Batch < b.Batch
}

// concurrent reports whether neither writer had seen the other's operation.
func (h History) concurrent(a, b *crdt.Op) bool { return !h.saw(a, b) && !h.saw(b, a) }

// supersedes reports whether b supersedes a. An append is a set of a child of its own.
func (h History) supersedes(b, a *crdt.Op) bool {
	if a.ID() == b.ID() || !within(b.Path, a.Path) {
		return false
	}
	switch b.Kind {
	case crdt.Set, crdt.Append, crdt.Remove:
		return h.saw(b, a)
	case crdt.Resolve, crdt.Correct:
		for _, named := range b.Names {
			if named == a.Dot {
				return true
			}
		}
	}
	return false
}

// live reports whether a bears something that no operation supersedes. A resolve without a value
// answers "absent" and bears nothing.
func (h History) live(a *crdt.Op) bool {
	if a.Kind == crdt.Resolve && a.Value == "" {
		return false
	}
	for i := range h.Ops {
		if h.supersedes(&h.Ops[i], a) {
			return false
		}
	}
	return true
}

// within reports whether q is p or below it.
func within(p, q crdt.Pointer) bool { return p == q || below(p, q) }

// below reports whether q is strictly below p.
func below(p, q crdt.Pointer) bool {
	return len(q) > len(p) && q[:len(p)] == p && q[len(p)] == '/'
}

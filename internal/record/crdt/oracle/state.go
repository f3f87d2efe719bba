package oracle

import (
	"cmp"
	"slices"

	"firemode/internal/record/crdt"
)

// State is what a history comes to.
type State struct {
	History
	Live []*crdt.Op // by path, then dot
}

// State holds every operation of h against every other.
func (h History) State() State {
	s := State{History: h}
	for i := range h.Ops {
		if h.live(&h.Ops[i]) {
			s.Live = append(s.Live, &h.Ops[i])
		}
	}
	slices.SortFunc(s.Live, func(a, b *crdt.Op) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), a.Dot.Compare(b.Dot))
	})
	return s
}

// At returns what is live at p.
func (s State) At(p crdt.Pointer) []*crdt.Op {
	return s.where(func(op *crdt.Op) bool { return op.Path == p })
}

// Contested reports whether something live above op has not been seen by its writer.
func (s State) Contested(op *crdt.Op) bool {
	return slices.ContainsFunc(s.Live, func(above *crdt.Op) bool { return s.contests(op, above) })
}

// contests reports whether op is below above and its writer had not seen it.
func (s State) contests(op, above *crdt.Op) bool {
	return below(above.Path, op.Path) && !s.saw(op, above)
}

func (s State) where(keep func(*crdt.Op) bool) []*crdt.Op {
	var found []*crdt.Op
	for _, op := range s.Live {
		if keep(op) {
			found = append(found, op)
		}
	}
	return found
}

// paths returns every path where something is live, in order.
func (s State) paths() []crdt.Pointer {
	var all []crdt.Pointer
	for _, op := range s.Live {
		all = append(all, op.Path)
	}
	return slices.Compact(all)
}

// greatest returns the op that ranks first, nil for none: not removed, effective time, sum of
// context, actor, batch, index.
func greatest(ops []*crdt.Op) *crdt.Op {
	if len(ops) == 0 {
		return nil
	}
	return slices.MaxFunc(ops, compare)
}

func compare(a, b *crdt.Op) int {
	return cmp.Or(
		-cmp.Compare(count(isRemoval(a)), count(isRemoval(b))),
		cmp.Compare(a.Time, b.Time),
		cmp.Compare(a.Sum, b.Sum),
		cmp.Compare(a.Actor, b.Actor),
		cmp.Compare(a.Batch, b.Batch),
		cmp.Compare(a.Index, b.Index),
	)
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

func isRemoval(op *crdt.Op) bool   { return op.Kind == crdt.Remove }
func isIncrement(op *crdt.Op) bool { return op.Kind == crdt.Increment }
func isValue(op *crdt.Op) bool     { return !isRemoval(op) && !isIncrement(op) }

func only(ops []*crdt.Op, keep func(*crdt.Op) bool) []*crdt.Op {
	return slices.DeleteFunc(slices.Clone(ops), func(op *crdt.Op) bool { return !keep(op) })
}

package oracle

import (
	"slices"

	"firemode/internal/record/crdt"
)

// Conflict is an unresolved conflict at a path.
type Conflict struct {
	Path     crdt.Pointer
	Kind     string     // value, removed, shape or type
	Siblings []*crdt.Op // all that takes part, at the path and below it, by path, then dot
}

// Conflicts returns every conflict, in the order of paths.
func (s State) Conflicts() []Conflict {
	var all []Conflict
	for _, p := range s.paths() {
		at := s.At(p)
		contenders := s.where(func(op *crdt.Op) bool {
			return slices.ContainsFunc(at, func(above *crdt.Op) bool { return s.contests(op, above) })
		})
		kind := s.kind(at)
		if len(contenders) > 0 {
			kind = kindAbove(at)
		}
		if kind != "" {
			all = append(all, Conflict{p, kind, append(at, contenders...)})
		}
	}
	return all
}

// kindAbove is the kind where something below has not seen what is at the path.
func kindAbove(at []*crdt.Op) string {
	if slices.ContainsFunc(at, func(op *crdt.Op) bool { return !isRemoval(op) }) {
		return "shape"
	}
	return "removed"
}

// kind is the kind of what is at one path, "" for no conflict. Equal values agree.
func (s State) kind(at []*crdt.Op) string {
	values, removals, increments := only(at, isValue), only(at, isRemoval), only(at, isIncrement)
	switch {
	case slices.ContainsFunc(values, func(op *crdt.Op) bool { return !sameValue(op.Value, values[0].Value) }):
		return "value"
	case len(values) > 0 && len(increments) > 0 && rational(values[0].Value) == nil:
		return "type"
	case len(values) > 0 && len(removals) > 0:
		return "removed"
	case s.anyConcurrent(values, increments):
		return "value"
	case s.anyConcurrent(removals, increments):
		return "removed"
	default:
		return ""
	}
}

func (s State) anyConcurrent(as, bs []*crdt.Op) bool {
	return slices.ContainsFunc(as, func(a *crdt.Op) bool {
		return slices.ContainsFunc(bs, func(b *crdt.Op) bool { return s.concurrent(a, b) })
	})
}

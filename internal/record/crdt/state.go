package crdt

import (
	"slices"
)

// State is the live part of a session's operations: all of it, or as much as the batches to be
// merged can touch. For a path that a batch writes that is what is live at the path, above it and
// below it; and what is contested below any live operation above it.
type State struct {
	root   node
	chains func(ActorID) Ranges
	// open is the batch being merged while the state before it is read: a gap in its actor's chain.
	open *BatchRef
}

// BatchRef names a batch.
type BatchRef struct {
	Actor  ActorID
	Number int64
}

// node holds the live operations of one path. Children are kept by escaped segment.
type node struct {
	path     Pointer
	parent   *node
	children map[string]*node
	live     []*Op
}

// NewState returns an empty state. chains returns the merged batches of an actor, the new one
// included while it is merged.
func NewState(chains func(ActorID) Ranges) *State { return &State{chains: chains} }

// Load puts a live operation into s. One that is there already is left as it is.
func (s *State) Load(op Op) {
	n := s.at(op.Path)
	for _, known := range n.live {
		if known.Dot == op.Dot {
			return
		}
	}
	n.live = append(n.live, &op)
}

// at returns the node of p, making it if need be.
func (s *State) at(p Pointer) *node {
	n := &s.root
	for _, segment := range p.Segments() {
		child := n.children[segment]
		if child == nil {
			child = &node{path: n.path + "/" + Pointer(segment), parent: n}
			if n.children == nil {
				n.children = map[string]*node{}
			}
			n.children[segment] = child
		}
		n = child
	}
	return n
}

// find returns the node of p, nil when there is none.
func (s *State) find(p Pointer) *node {
	n := &s.root
	for _, segment := range p.Segments() {
		if n = n.children[segment]; n == nil {
			return nil
		}
	}
	return n
}

// each calls fn for n and every node below it, parents first, in order of path.
func (n *node) each(fn func(*node)) {
	fn(n)
	for _, segment := range n.segments() {
		n.children[segment].each(fn)
	}
}

func (n *node) segments() []string {
	segments := make([]string, 0, len(n.children))
	for segment := range n.children {
		segments = append(segments, segment)
	}
	slices.Sort(segments)
	return segments
}

// sees reports whether a is in the context of b.
func (s *State) sees(b, a *Op) bool {
	if a.Actor != b.Actor {
		return b.Foreign[a.Actor] >= a.Batch
	}
	if !a.Dot.before(b.Dot) {
		return false
	}
	if s.open != nil && s.open.Actor == b.Actor && a.Batch < s.open.Number && s.open.Number < b.Batch {
		return false
	}
	return s.chains(b.Actor).RangeOf(b.Batch)[0] <= a.Batch
}

// supersedes is the definition in the package comment. The caller checks that a is at b's path or
// below it.
func (s *State) supersedes(b, a *Op) bool {
	if b.sweeps() {
		return s.sees(b, a)
	}
	return (b.Kind == Resolve || b.Kind == Correct) && slices.Contains(b.Names, a.Dot)
}

// Later describes what the writer of a batch had already stored after it when it arrived. It
// matters if the batch closes a gap, or if corrections of its writer named it in advance. It is
// empty for a batch that arrives in order. With it, the state must hold, besides what a batch can
// touch, whatever is live of the writer's batches in the chain, and what is around that.
type Later struct {
	// Batch is the batch, and Chain the contiguous range of its writer's batches that it is now
	// part of. Chain is empty if the batch is the last of it: then no context has become longer.
	Batch BatchRef
	Chain Range
	// Sweeps holds, for every path at or above a path of the batch or of the writer's own live
	// operations in the chain, the last set, remove or append of the writer's batches above the
	// batch in the chain.
	Sweeps map[Pointer]Dot
	// Names holds the paths at which a resolve or correct of the writer's batches above, in the
	// chain or not, named a dot of the batch.
	Names map[Dot][]Pointer
}

// supersedes reports whether an operation in l supersedes op.
func (l *Later) supersedes(op *Op) bool {
	for _, at := range l.Names[op.Dot] {
		if at.Holds(op.Path) {
			return true
		}
	}
	return l.sweeps(op)
}

func (l *Later) sweeps(op *Op) bool {
	if len(l.Sweeps) == 0 || op.Batch < l.Chain[0] || op.Batch > l.Chain[1] {
		return false
	}
	for p, ok := op.Path, true; ok; p, ok = p.Parent() {
		if last, swept := l.Sweeps[p]; swept && op.Dot.before(last) {
			return true
		}
	}
	return false
}

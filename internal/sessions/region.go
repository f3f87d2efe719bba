package sessions

import (
	"slices"
	"strings"

	"firemode/internal/record/crdt"
	"firemode/internal/store"
)

// region is the part of a document that changes at some paths can have changed. What is live at these paths and above them is in
// memory; what is below is read as it is needed.
type region struct {
	*document
	live      map[crdt.Pointer][]crdt.Op // at the changed paths and above
	tops      []crdt.Pointer             // in order of the tree: the region is what is at and below them
	inhabited map[crdt.Pointer]bool      // of tops those below which something is live
}

func (d *document) regionOf(changed []crdt.Pointer) (*region, error) {
	r := &region{document: d, live: map[crdt.Pointer][]crdt.Op{}, inhabited: map[crdt.Pointer]bool{}}
	if len(changed) == 0 {
		return r, nil
	}
	live, err := store.As[store.OpReader](d.tx).LiveOps(d.ctx, d.ref, withAncestors(changed), nil)
	if err != nil {
		return nil, err
	}
	for _, op := range live {
		r.live[op.Path] = append(r.live[op.Path], op)
	}
	r.tops = r.topsOf(changed)
	inhabited, err := store.As[store.OpReader](d.tx).Inhabited(d.ctx, d.ref, r.tops)
	for _, p := range inhabited {
		r.inhabited[p] = true
	}
	return r, err
}

// topsOf returns, in order of the tree and each once, below which paths what is shown may have changed: a change below a live
// value may hide or uncover everything beside it. A removal hides nothing.
func (r *region) topsOf(changed []crdt.Pointer) []crdt.Pointer {
	var tops []crdt.Pointer
	for _, p := range changed {
		top := p
		for _, above := range p.Ancestors() {
			if slices.ContainsFunc(r.live[above], func(op crdt.Op) bool { return op.Kind != crdt.Remove }) {
				top = above
			}
		}
		tops = append(tops, top)
	}
	slices.SortFunc(tops, func(a, b crdt.Pointer) int { return strings.Compare(a.Key(), b.Key()) })
	kept := tops[:0]
	for _, p := range tops {
		if len(kept) == 0 || !kept[len(kept)-1].Holds(p) {
			kept = append(kept, p)
		}
	}
	return kept
}

// pass hands over what is shown in the region, and every conflict in it and above it.
func (r *region) pass(leaf func(crdt.Reading) error, dispute func(crdt.Conflict) error) error {
	passed := map[crdt.Pointer]bool{}
	for _, top := range r.tops {
		for _, above := range slices.Backward(top.Ancestors()) {
			if dispute == nil || passed[above] || len(r.live[above]) == 0 {
				continue
			}
			passed[above] = true
			if err := r.alone(above, true, nil, dispute); err != nil {
				return err
			}
		}
		if err := r.below(top, leaf, dispute); err != nil {
			return err
		}
	}
	return nil
}

// below passes through top and what is below it.
func (r *region) below(top crdt.Pointer, leaf func(crdt.Reading) error, dispute func(crdt.Conflict) error) error {
	if !r.inhabited[top] {
		return r.alone(top, false, leaf, dispute)
	}
	w := r.walk(leaf, dispute)
	if err := r.eachLive(top, w.Add); err != nil {
		return err
	}
	return w.End(false)
}

// alone passes through one path of which the live operations are in memory.
func (r *region) alone(p crdt.Pointer, inhabited bool, leaf func(crdt.Reading) error, dispute func(crdt.Conflict) error) error {
	w := r.walk(leaf, dispute)
	for _, op := range r.live[p] {
		if err := w.Add(op); err != nil {
			return err
		}
	}
	return w.End(inhabited)
}

// vacancy finds which of some changed paths show nothing: not at them, not below and not above. It is told of every leaf of their region.
type vacancy struct {
	changed  []crdt.Pointer
	occupied map[crdt.Pointer]bool // by path that changed: whether a leaf is there or below
	covering map[crdt.Pointer]bool // by path above one that changed: whether a leaf is there
}

func vacancyOf(changed []crdt.Pointer) *vacancy {
	v := &vacancy{changed: changed, occupied: map[crdt.Pointer]bool{}, covering: map[crdt.Pointer]bool{}}
	for _, p := range changed {
		v.occupied[p] = false
		for _, above := range p.Ancestors() {
			v.covering[above] = false
		}
	}
	return v
}

func (v *vacancy) leaf(p crdt.Pointer) {
	if _, above := v.covering[p]; above {
		v.covering[p] = true
	}
	for q, ok := p, true; ok; q, ok = q.Parent() {
		if _, changed := v.occupied[q]; changed {
			v.occupied[q] = true
		}
	}
}

// vacant returns the changed paths that show nothing.
func (v *vacancy) vacant() []crdt.Pointer {
	var vacant []crdt.Pointer
	for _, p := range v.changed {
		if !v.occupied[p] && !slices.ContainsFunc(p.Ancestors(), func(above crdt.Pointer) bool { return v.covering[above] }) {
			vacant = append(vacant, p)
		}
	}
	return vacant
}

package view

import (
	"context"
	"slices"
	"strings"

	"firemode/internal/record/crdt"
)

// region is the part of a document that changes at some paths can have changed: what is at and
// below its tops. The operations that are live at the changed paths and above are in memory; those
// below are read when they are needed.
type region struct {
	*document
	live map[crdt.Pointer][]crdt.Op // by path, at the changed paths and above
	tops []crdt.Pointer             // in order of the tree; none is below another
	deep map[crdt.Pointer]bool      // the tops below which an operation is live
}

func (d *document) regionOf(ctx context.Context, changed []crdt.Pointer) (*region, error) {
	r := &region{document: d, live: map[crdt.Pointer][]crdt.Op{}, deep: map[crdt.Pointer]bool{}}
	if len(changed) == 0 {
		return r, nil
	}
	live, err := d.ops.LiveOps(ctx, d.ref, crdt.WithAncestors(changed), nil)
	if err != nil {
		return nil, err
	}
	for _, op := range live {
		r.live[op.Path] = append(r.live[op.Path], op)
	}
	r.tops = r.topsOf(changed)
	deep, err := d.ops.Inhabited(ctx, d.ref, r.tops)
	for _, p := range deep {
		r.deep[p] = true
	}
	return r, err
}

// topsOf returns the paths below which a change may have changed what is shown. A change below a
// live value may hide or reveal all that is below that value, so its top is the highest such value.
// A live removal hides nothing.
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

// walk walks the region. It also finds the conflicts at the paths above.
func (r *region) walk(ctx context.Context, to visitor) error {
	walked := map[crdt.Pointer]bool{}
	for _, top := range r.tops {
		for _, above := range slices.Backward(top.Ancestors()) {
			if to.conflict == nil || walked[above] || len(r.live[above]) == 0 {
				continue
			}
			walked[above] = true
			if err := r.walkPath(ctx, above, true, visitor{conflict: to.conflict}); err != nil {
				return err
			}
		}
		if err := r.walkTop(ctx, top, to); err != nil {
			return err
		}
	}
	return nil
}

// walkTop walks a top and what is below it.
func (r *region) walkTop(ctx context.Context, top crdt.Pointer, to visitor) error {
	if !r.deep[top] {
		return r.walkPath(ctx, top, false, to)
	}
	w := r.newWalk(ctx, to)
	if err := r.eachLive(ctx, top, w.Add); err != nil {
		return err
	}
	return w.End(false)
}

// walkPath walks one path whose live operations are in memory. deep says that an operation is live
// below it.
func (r *region) walkPath(ctx context.Context, p crdt.Pointer, deep bool, to visitor) error {
	w := r.newWalk(ctx, to)
	for _, op := range r.live[p] {
		if err := w.Add(op); err != nil {
			return err
		}
	}
	return w.End(deep)
}

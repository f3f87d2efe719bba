package view

import (
	"context"
	"slices"

	"firemode/internal/record/crdt"
)

// defaultDelta is how many changes a page of a delta holds, and maxDelta how many a query may ask
// for.
const (
	defaultDelta = 1000
	maxDelta     = 10_000
)

// writeDelta writes what changed after a cursor: the current values at and below the changed paths,
// every open conflict at, above or below one of them, and the paths at which nothing is shown any
// more. The receiver drops what it has at the removed paths, puts each value in the place of what
// it has there, and replaces the conflicts at, above and below all of these paths.
func (d *document) writeDelta(ctx context.Context, q Query, sink Sink) (h Header, err error) {
	since := *q.Since
	if err := d.checkCursor(ctx, since); err != nil {
		return h, err
	}
	limit := defaultDelta
	if q.Limit > 0 {
		limit = min(q.Limit, maxDelta)
	}
	changed, until, err := d.ops.ChangedPaths(ctx, d.ref, since.Seq, d.head.Seq, limit)
	if err != nil {
		return h, err
	}
	region, err := d.regionOf(ctx, changed)
	if err != nil {
		return h, err
	}
	if h, err = d.header(ctx, until); err != nil {
		return h, err
	}
	if h.Complete = until == d.head.Seq; !h.Complete {
		h.Cursor.From, h.Cursor.Client = since.seenFrom(q.Client), q.Client
	}
	if err := sink.Begin(h); err != nil {
		return h, err
	}
	empty := newEmptiedPaths(changed)
	leaf := func(r crdt.Reading) error {
		empty.addLeaf(r.Path)
		return sink.Leaf(r)
	}
	if err := writeShown(ctx, region.walk, leaf, sink); err != nil {
		return h, err
	}
	for _, p := range empty.list() {
		if err := sink.Removed(p); err != nil {
			return h, err
		}
	}
	return h, d.writeLate(ctx, sink)
}

// emptiedPaths finds the changed paths at which nothing is shown: neither at them, nor below, nor
// above. It needs every leaf of the region of these paths.
type emptiedPaths struct {
	changed []crdt.Pointer
	shown   map[crdt.Pointer]bool // by changed path: whether a leaf is there or below
	above   map[crdt.Pointer]bool // by path above a changed one: whether a leaf is there
}

func newEmptiedPaths(changed []crdt.Pointer) *emptiedPaths {
	e := &emptiedPaths{changed: changed, shown: map[crdt.Pointer]bool{}, above: map[crdt.Pointer]bool{}}
	for _, p := range changed {
		e.shown[p] = false
		for _, above := range p.Ancestors() {
			e.above[above] = false
		}
	}
	return e
}

func (e *emptiedPaths) addLeaf(p crdt.Pointer) {
	if _, known := e.above[p]; known {
		e.above[p] = true
	}
	for q, ok := p, true; ok; q, ok = q.Parent() {
		if _, changed := e.shown[q]; changed {
			e.shown[q] = true
		}
	}
}

// list returns the emptied paths in the order of the changed ones.
func (e *emptiedPaths) list() []crdt.Pointer {
	var emptied []crdt.Pointer
	for _, p := range e.changed {
		if !e.shown[p] && !slices.ContainsFunc(p.Ancestors(), func(above crdt.Pointer) bool { return e.above[above] }) {
			emptied = append(emptied, p)
		}
	}
	return emptied
}

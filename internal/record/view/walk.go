package view

import (
	"context"

	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
)

// visitor takes what a walk finds. A nil function skips its part.
type visitor struct {
	leaf     func(crdt.Reading) error  // a value that is shown
	conflict func(crdt.Conflict) error // an open conflict
}

// walkFunc walks what is live, all of it or a part, and hands over what is shown and what is in
// conflict, each in order of path.
type walkFunc func(context.Context, visitor) error

// writeShown hands the values that a walk finds to leaf, then the conflicts to sink. Up to maxKept
// bytes of conflicts are kept in memory meanwhile. More of them are found by a second walk, so that
// memory holds one conflict at a time.
func writeShown(ctx context.Context, walk walkFunc, leaf func(crdt.Reading) error, sink Sink) error {
	var kept keptConflicts
	if err := walk(ctx, visitor{leaf: leaf, conflict: kept.add}); err != nil {
		return err
	}
	write := func(c crdt.Conflict) error { return sink.Conflict(ledger.DescribeConflict(c, 0)) }
	if kept.full() {
		return walk(ctx, visitor{conflict: write})
	}
	for _, c := range kept.list {
		if err := write(c); err != nil {
			return err
		}
	}
	return nil
}

// walkAll walks the whole document.
func (d *document) walkAll(ctx context.Context, to visitor) error {
	w := d.newWalk(ctx, to)
	if err := d.eachLive(ctx, "", w.Add); err != nil {
		return err
	}
	return w.End(false)
}

// newWalk returns a walk over what was live at log entry seq.
func (d *document) newWalk(ctx context.Context, to visitor) *crdt.Walk {
	below := func(top crdt.Pointer, fn func(crdt.Op) error) error { return d.eachBelow(ctx, top, fn) }
	contested := func(top crdt.Pointer, fn func(crdt.Op) error) error { return d.eachContested(ctx, top, fn) }
	if d.seq != d.head.Seq {
		contested = below // what is stored as contested is so now
	}
	return &crdt.Walk{
		Chains: d.merged, Key: d.head.Key, Leaf: to.leaf, Conflict: to.conflict, Below: below, Contested: contested,
	}
}

// eachLive calls fn for every operation at top and below that was live at log entry seq.
func (d *document) eachLive(ctx context.Context, top crdt.Pointer, fn func(crdt.Op) error) error {
	seq := d.seq
	switch seq {
	case 0:
		return nil // before the first entry
	case d.head.Seq:
		seq = 0 // which means now to the store
	}
	return d.ops.EachLiveOp(ctx, d.ref, seq, top, fn)
}

func (d *document) eachBelow(ctx context.Context, top crdt.Pointer, fn func(crdt.Op) error) error {
	return d.eachLive(ctx, top, func(op crdt.Op) error {
		if op.Path == top {
			return nil
		}
		return fn(op)
	})
}

func (d *document) eachContested(ctx context.Context, top crdt.Pointer, fn func(crdt.Op) error) error {
	contested, err := d.ops.ContestedOps(ctx, d.ref, []crdt.Pointer{top})
	if err != nil {
		return err
	}
	for _, op := range contested {
		if err := fn(op); err != nil {
			return err
		}
	}
	return nil
}

package sessions

import (
	"firemode/internal/record/crdt"
	"firemode/internal/store"
)

// pass goes through what is live, all of it or a part, and hands over what is shown and what is in conflict, each in order of path.
// What is nil is not wanted.
type pass func(leaf func(crdt.Reading) error, dispute func(crdt.Conflict) error) error

// write hands over the leaves that a pass finds, then the conflicts. Few conflicts are kept until the leaves are through; for more
// there is a second pass, so that no more is ever in memory than the greatest of them.
func (d *document) write(through pass, leaf func(crdt.Reading) error) error {
	var few keptConflicts
	if err := through(leaf, few.add); err != nil {
		return err
	}
	dispute := func(c crdt.Conflict) error { return d.sink.Conflict(newConflict(c, 0)) }
	if few.size > maxKept {
		return through(nil, dispute)
	}
	for _, c := range few.list {
		if err := dispute(c); err != nil {
			return err
		}
	}
	return nil
}

// maxKept is how much is kept of conflicts while the document is written, in bytes.
const maxKept = 1 << 20

// siblingSize is about what is kept of a sibling beside its value.
const siblingSize = 512

// keptConflicts keeps conflicts until they are too many, and none from then on.
type keptConflicts struct {
	list []crdt.Conflict
	size int
}

func (k *keptConflicts) add(c crdt.Conflict) error {
	for _, op := range c.Siblings {
		k.size += siblingSize + len(op.Value)
	}
	if k.size > maxKept {
		k.list = nil
		return nil
	}
	k.list = append(k.list, c)
	return nil
}

// whole is the pass through everything.
func (d *document) whole(leaf func(crdt.Reading) error, dispute func(crdt.Conflict) error) error {
	w := d.walk(leaf, dispute)
	if err := d.eachLive("", w.Add); err != nil {
		return err
	}
	return w.End(false)
}

// walk returns a walk over what was live at number seq.
func (d *document) walk(leaf func(crdt.Reading) error, dispute func(crdt.Conflict) error) *crdt.Walk {
	w := &crdt.Walk{Chains: d.chains, Key: d.head.Key, Leaf: leaf, Conflict: dispute, Below: d.eachBelow, Contested: d.eachContested}
	if d.seq != d.head.Seq {
		w.Contested = d.eachBelow // the marks are those of now
	}
	return w
}

// eachLive calls fn for what was live at number seq at top and below; before the first entry that is nothing.
func (d *document) eachLive(top crdt.Pointer, fn func(crdt.Op) error) error {
	seq := d.seq
	switch seq {
	case 0:
		return nil
	case d.head.Seq:
		seq = 0 // now
	}
	return store.As[store.OpReader](d.tx).EachLiveOp(d.ctx, d.ref, seq, top, fn)
}

func (d *document) eachBelow(top crdt.Pointer, fn func(crdt.Op) error) error {
	return d.eachLive(top, func(op crdt.Op) error {
		if op.Path == top {
			return nil
		}
		return fn(op)
	})
}

func (d *document) eachContested(top crdt.Pointer, fn func(crdt.Op) error) error {
	contested, err := store.As[store.OpReader](d.tx).ContestedOps(d.ctx, d.ref, []crdt.Pointer{top})
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

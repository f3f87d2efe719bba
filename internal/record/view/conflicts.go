package view

import (
	"context"

	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// maxKept is how many bytes of conflicts are kept in memory while a document is written.
const maxKept = 1 << 20

// siblingSize is about how many bytes a sibling takes beside its value.
const siblingSize = 512

// keptConflicts keeps conflicts until they take more than maxKept bytes; then it drops all of them.
type keptConflicts struct {
	list []crdt.Conflict
	size int
}

func (k *keptConflicts) add(c crdt.Conflict) error {
	for _, op := range c.Siblings {
		k.size += siblingSize + len(op.Value)
	}
	if k.full() {
		k.list = nil
		return nil
	}
	k.list = append(k.list, c)
	return nil
}

func (k *keptConflicts) full() bool { return k.size > maxKept }

// EachConflict calls fn for every open conflict of a session, in order of path, and stops at its
// first error.
func EachConflict(
	ctx context.Context, tx store.ReadTx, ref ledger.SessionRef, head ledger.Head, fn func(crdt.Conflict) error,
) error {
	d, err := newDocument(ctx, snapshot{tx, ref, head})
	if err != nil {
		return err
	}
	return d.walkAll(ctx, visitor{conflict: fn})
}

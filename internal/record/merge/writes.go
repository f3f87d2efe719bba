package merge

import (
	"cmp"
	"context"
	"slices"

	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// writes collects what a merging has changed of the log, the operations and the actors since the
// last flush.
type writes struct {
	entries  []ledger.Entry
	ops      []*newOp
	newOps   map[*crdt.Op]*newOp   // those of ops
	oldOps   map[*crdt.Op]opUpdate // stored operations that changed
	prefixes []store.PrefixChange
	actors   map[crdt.ActorID]bool
	hadGap   map[crdt.ActorID]bool // whether an actor missed a number before this transaction; flush keeps it
}

func newWrites() writes {
	return writes{
		newOps: map[*crdt.Op]*newOp{},
		oldOps: map[*crdt.Op]opUpdate{},
		actors: map[crdt.ActorID]bool{},
		hadGap: map[crdt.ActorID]bool{},
	}
}

// newOp is an operation that is not stored yet. Its Contested may still change.
type newOp struct {
	op     *crdt.Op
	merged int64
	opUpdate
}

// opUpdate is what changed of an operation after it was added: the numbers of ledger.Op, 0 for no
// change.
type opUpdate struct{ superseded, noted int64 }

// addOp collects a new operation.
func (w *writes) addOp(added crdt.Added, at int64) {
	row := &newOp{op: added.Op, merged: at}
	if !added.Live {
		row.superseded = at
	}
	w.ops = append(w.ops, row)
	w.newOps[added.Op] = row
}

// update collects a change of an operation, stored or new.
func (w *writes) update(op *crdt.Op, change func(*opUpdate)) {
	if row := w.newOps[op]; row != nil {
		change(&row.opUpdate)
		return
	}
	u := w.oldOps[op]
	change(&u)
	w.oldOps[op] = u
}

// flush writes what was collected. It runs before a query that must see what this transaction has
// merged, and at the end.
func (m *merging) flush(ctx context.Context) error {
	w := &m.writes
	if err := m.ports.entryWriter.InsertEntries(ctx, m.ref, w.entries); err != nil {
		return err
	}
	if err := m.ports.opWriter.InsertOps(ctx, m.ref, w.opRows()); err != nil {
		return err
	}
	if err := m.ports.opWriter.UpdateOps(ctx, m.ref, w.opChanges()); err != nil {
		return err
	}
	if err := m.ports.actorWriter.SaveActors(ctx, m.ref, m.changedActors()); err != nil {
		return err
	}
	if err := m.ports.entryWriter.SetPrefixes(ctx, m.ref, w.prefixes); err != nil {
		return err
	}
	w.entries, w.ops, w.prefixes = nil, nil, nil
	clear(w.newOps)
	clear(w.oldOps)
	clear(w.actors)
	return nil
}

func (w *writes) opRows() []ledger.Op {
	rows := make([]ledger.Op, len(w.ops))
	for i, n := range w.ops {
		rows[i] = ledger.Op{Op: *n.op, Merged: n.merged, SupersededSeq: n.superseded, Noted: n.noted}
	}
	return rows
}

// opChanges returns the changes of stored operations in a fixed order.
func (w *writes) opChanges() []store.OpChange {
	changes := make([]store.OpChange, 0, len(w.oldOps))
	for op, u := range w.oldOps {
		changes = append(changes, store.OpChange{
			Path: op.Path, Seq: op.Seq, Index: op.Index, SupersededSeq: u.superseded, Noted: u.noted, Contested: op.Contested,
		})
	}
	slices.SortFunc(changes, func(a, b store.OpChange) int {
		return cmp.Or(cmp.Compare(a.Seq, b.Seq), cmp.Compare(a.Index, b.Index), cmp.Compare(a.Path, b.Path))
	})
	return changes
}

func (m *merging) changedActors() []ledger.Actor {
	var actors []ledger.Actor
	for id := range m.writes.actors {
		actors = append(actors, *m.known.actors[id])
	}
	slices.SortFunc(actors, func(a, b ledger.Actor) int { return cmp.Compare(a.ID, b.ID) })
	return actors
}

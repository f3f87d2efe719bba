package merge

import (
	"cmp"
	"encoding/json"
	"slices"

	"firemode"
	"firemode/internal/record/assess"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// addedOp is an operation that is not written yet; its Contested may still change.
type addedOp struct {
	op     *crdt.Op
	merged int64
	fate
}

// collect notes what a merge did, to be written by flush.
func (m *merging) collect(b *ledger.Entry, merged crdt.Merged, at int64) {
	// Of each change: what can be superseded at all, and what was not covered when it arrived. A resolve to absent bears nothing.
	bears, alive := make([]bool, len(b.Outcomes)), make([]bool, len(b.Outcomes))
	for _, added := range merged.Added {
		row := &addedOp{op: added.Op, merged: at}
		if !added.Live {
			row.covered = at
		}
		if added.Op.Kind == crdt.Remove || added.Op.Value != "" {
			bears[added.Op.Index] = true
			alive[added.Op.Index] = alive[added.Op.Index] || !added.Superseded
		}
		m.newOps = append(m.newOps, row)
		m.rowOf[added.Op] = row
		m.loaded[added.Op.ID()] = true
	}
	for i := range b.Outcomes {
		if b.Outcomes[i].Status == changeApplied && bears[i] && !alive[i] {
			b.Outcomes[i].Status = changeSuperseded
		}
	}
	for _, op := range merged.Superseded {
		m.change(op, func(c *fate) { c.covered = at })
	}
	for _, op := range merged.Recontested {
		m.change(op, func(c *fate) { c.noted = at })
	}
	for _, touch := range merged.Touched {
		if live := m.state.Live(touch.Path); touch.Before != touch.After && len(live) > 0 {
			// The conflict may have changed though nothing here did: a hole was closed elsewhere.
			m.change(live[0], func(c *fate) { c.noted = at })
		}
		m.touch(touch)
	}
}

// touch counts what a merge did to the conflict at a path, and notes the item that the path belongs to.
func (m *merging) touch(t crdt.Touch) {
	opened := 0
	switch {
	case t.Before == "" && t.After != "":
		opened = 1
		m.arose++
	case t.Before != "" && t.After == "":
		opened = -1
	}
	m.head.Conflicts += opened
	if id := assess.ParsePath(t.Path).Item; id != "" {
		m.opened[id] += opened
		m.touched[id] = m.touched[id] || m.mayJudge(id, t.Path)
	}
}

// mayJudge reports whether what became of path may change how its item is judged: path bears on it, or nothing is recorded there any more.
func (m *merging) mayJudge(id firemode.ItemID, path crdt.Pointer) bool {
	basis, known := m.bases[id]
	recorded := slices.ContainsFunc(m.state.Live(path), func(op *crdt.Op) bool { return op.Kind != crdt.Remove })
	return !known || !recorded || assess.Affects(path, basis)
}

// fate is what became of an operation after it was added.
type fate struct{ covered, noted int64 }

// change notes what became of an operation, be it written already or not.
func (m *merging) change(op *crdt.Op, to func(*fate)) {
	if row := m.rowOf[op]; row != nil {
		to(&row.fate)
		return
	}
	f := m.oldOps[op]
	to(&f)
	m.oldOps[op] = f
}

// flush writes what was collected of batches, operations and actors.
func (m *merging) flush() error {
	if err := store.As[store.EntryWriter](m.tx).InsertEntries(m.ctx, m.ref, m.newBatches); err != nil {
		return err
	}
	ops := make([]ledger.Op, len(m.newOps))
	for i, row := range m.newOps {
		ops[i] = ledger.Op{Op: *row.op, Merged: row.merged, SupersededSeq: row.covered, Noted: row.noted}
	}
	if err := store.As[store.OpWriter](m.tx).InsertOps(m.ctx, m.ref, ops); err != nil {
		return err
	}
	if err := store.As[store.OpWriter](m.tx).UpdateOps(m.ctx, m.ref, m.opChanges()); err != nil {
		return err
	}
	if err := store.As[store.ActorWriter](m.tx).SaveActors(m.ctx, m.ref, m.dirtyActors()); err != nil {
		return err
	}
	if err := store.As[store.EntryWriter](m.tx).SetPrefixes(m.ctx, m.ref, m.newRuns); err != nil {
		return err
	}
	m.newBatches, m.newOps, m.newRuns = nil, nil, nil
	clear(m.rowOf)
	clear(m.oldOps)
	clear(m.dirty)
	return nil
}

func (m *merging) opChanges() []store.OpChange {
	changes := make([]store.OpChange, 0, len(m.oldOps))
	for op, f := range m.oldOps {
		changes = append(changes, store.OpChange{Path: op.Path, Seq: op.Seq, Index: op.Index, SupersededSeq: f.covered, Noted: f.noted, Contested: op.Contested})
	}
	slices.SortFunc(changes, func(a, b store.OpChange) int {
		return cmp.Or(cmp.Compare(a.Seq, b.Seq), cmp.Compare(a.Index, b.Index), cmp.Compare(a.Path, b.Path))
	})
	return changes
}

func (m *merging) dirtyActors() []ledger.Actor {
	var actors []ledger.Actor
	for id := range m.dirty {
		actors = append(actors, *m.actors[id])
	}
	slices.SortFunc(actors, func(a, b ledger.Actor) int { return cmp.Compare(a.ID, b.ID) })
	return actors
}

// finish writes everything that is left: the log and what follows from it, the head, the answers.
func (m *merging) finish() error {
	m.settleCounts()
	if m.head.Seq == m.before { // nothing new: replays, duplicates and refusals
		return m.saveAnswers()
	}
	if err := m.sign(); err != nil {
		return err
	}
	if err := m.settle(); err != nil {
		return err
	}
	for range m.arose {
		m.tx.AfterCommit(func() { m.svc.Meter.ConflictArose(string(m.ref.Session)) })
	}
	return m.saveAnswers()
}

// settle writes the log, what follows from it, and the head.
func (m *merging) settle() error {
	if err := m.flush(); err != nil {
		return err
	}
	if err := m.derive(); err != nil {
		return err
	}
	if m.failed != nil {
		return m.failed
	}
	if m.tallied {
		m.head.Tallied = m.head.Seq
	}
	return store.As[store.SessionWriter](m.tx).SaveHead(m.ctx, m.ref.Org, m.ref.Session, m.head)
}

// sign states in a checkpoint what the log is now.
func (m *merging) sign() (err error) {
	m.head.Checkpoint, err = ledger.CheckpointOf(m.ref, m.head).Sign(m.svc.Signer)
	return err
}

// saveAnswers stores the receipts of this transaction under their keys. All carry the checkpoint of its end.
func (m *merging) saveAnswers() error {
	answers := make([]store.StoredResponse, len(m.done))
	for i, j := range m.done {
		j.receipt.Checkpoint = m.head.Checkpoint
		encoded, err := json.Marshal(j.receipt)
		if err != nil {
			return err
		}
		answers[i] = store.StoredResponse{Scope: j.scope, Key: j.in.Key, Fingerprint: j.fingerprint, Result: encoded, CreatedAt: m.tx.Now()}
	}
	for _, follow := range m.following {
		follow.again(m.answered[follow.scope+"\x00"+follow.in.Key])
	}
	return store.As[store.ResponseWriter](m.tx).SaveResponses(m.ctx, answers)
}

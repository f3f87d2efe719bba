package merge

import (
	"firemode"
	"firemode/internal/record/assess"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// lateBytes is about how many bytes of late changes are merged before what was read for them is forgotten.
const lateBytes = 4 << 20

// mergeLate makes what arrived while the session was completed part of the document, in the order in which it was logged. It
// takes its number for delivery now: that of the reopening. Its memory does not grow with what is late.
func (m *merging) mergeLate() error {
	if err := m.flush(); err != nil {
		return err
	}
	var seqs []int64
	held := 0
	err := store.As[store.EntryReader](m.tx).EachLateEntry(m.ctx, m.ref, func(b ledger.Entry) error {
		seqs = append(seqs, b.Seq)
		if held += len(b.Changes); held > lateBytes {
			held = len(b.Changes)
			if err := m.flush(); err != nil {
				return err
			}
			m.forget()
		}
		if err := m.needActors(map[crdt.ActorID]bool{b.Actor: true}); err != nil {
			return err
		}
		changes, err := ledger.ParseChanges(b)
		if err != nil {
			return err
		}
		if err := m.loadPaths(changedPaths(changes)); err != nil {
			return err
		}
		return m.merge(&b, changes, m.actors[b.Actor], m.head.Seq)
	})
	if err != nil {
		return err
	}
	m.head.Late = 0
	return store.As[store.EntryWriter](m.tx).MarkMerged(m.ctx, m.ref, seqs, m.head.Seq)
}

// forget lets go of the document as far as it was read. What has been merged must be flushed.
func (m *merging) forget() {
	m.state = crdt.NewState(m.chain)
	clear(m.loaded)
	clear(m.judged)
}

// rememberResults keeps what the completed visit found, to be shown beside the readings of the next one.
func (m *merging) rememberResults() error {
	found, err := m.findings()
	if err != nil {
		return err
	}
	return store.As[store.SessionWriter](m.tx).SaveLastResults(m.ctx, m.ref.Org, m.session.Building, found)
}

// findings is the outcome and the measurements of every item, as the document shows them now.
func (m *merging) findings() (map[firemode.ItemID]firemode.LastResult, error) {
	found := map[firemode.ItemID]firemode.LastResult{}
	err := m.eachItem(func(id firemode.ItemID, state *crdt.State) { found[id] = m.finding(state, id) })
	return found, err
}

// eachItem calls fn for every item that something is recorded of, with what is live at and below it.
func (m *merging) eachItem(fn func(firemode.ItemID, *crdt.State)) error {
	merged, err := store.MergedRanges(m.ctx, m.tx, m.ref)
	if err != nil {
		return err
	}
	state, current := crdt.NewState(merged), firemode.ItemID("")
	take := func() {
		if current != "" {
			fn(current, state)
		}
	}
	err = store.As[store.OpReader](m.tx).EachLiveOp(m.ctx, m.ref, 0, "", func(op crdt.Op) error {
		if item := assess.ParsePath(op.Path).Item; item != current {
			take()
			state, current = crdt.NewState(merged), item
		}
		state.Load(op)
		return nil
	})
	take()
	return err
}

func (m *merging) finding(state *crdt.State, item firemode.ItemID) firemode.LastResult {
	r := m.derivation.LastResult(state, item)
	r.Session, r.CompletedAt = m.session.ID, m.session.CompletedAt
	return r
}

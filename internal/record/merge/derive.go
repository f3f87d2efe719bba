package merge

import (
	"maps"
	"slices"

	"firemode"
	"firemode/internal/record/assess"
	"firemode/internal/record/crdt"
	"firemode/internal/rules"
	"firemode/internal/store"
)

// derive brings what follows from the document up to date for the touched items: their state, the session's counts, defects. It
// follows flush, so that what it reads is what was merged.
func (m *merging) derive() error {
	m.countGaps()
	if len(m.touched) == 0 || !m.session.Status.Open() {
		return nil
	}
	ids := slices.Sorted(maps.Keys(m.touched))
	tops := make([]crdt.Pointer, len(ids))
	for i, id := range ids {
		tops[i] = assess.ItemPath(id)
	}
	book, err := m.loadItems(tops)
	if err != nil {
		return err
	}
	changed, err := m.tally(ids)
	if err != nil {
		return err
	}
	stale := slices.DeleteFunc(ids, func(id firemode.ItemID) bool { return !m.touched[id] && !contradicted(m.items[id]) })
	if err := m.judgeItems(book, stale, changed); err != nil {
		return err
	}
	states := make([]firemode.Item, 0, len(changed))
	for _, id := range slices.Sorted(maps.Keys(changed)) {
		states = append(states, *m.items[id])
	}
	return store.As[store.ItemWriter](m.tx).SaveItemStates(m.ctx, m.ref.Org, m.ref.Session, states)
}

// contradicted reports whether the state of an item of which something is recorded says that nothing is, or is not what its conflicts make it. One
// that is not listed has no state.
func contradicted(item *firemode.Item) bool {
	return item != nil && (item.State == firemode.ItemUntouched || (item.Conflicts > 0) != (item.State == firemode.ItemDisputed))
}

// judgeItems brings the state of items up to date, adds to changed those whose state is another, and has their consequences derived.
func (m *merging) judgeItems(book *rules.Set, ids []firemode.ItemID, changed map[firemode.ItemID]bool) error {
	if len(ids) == 0 {
		return nil
	}
	if err := m.loadJudged(book, ids); err != nil {
		return err
	}
	merged := Merged{Session: m.session, At: m.at, Items: make([]AssessedItem, len(ids))}
	for i, id := range ids {
		item := m.items[id]
		r, err := m.record(book, id, item)
		if err != nil {
			return err
		}
		if item != nil && m.assess(item, r) {
			changed[id] = true
		}
		merged.Items[i] = AssessedItem{id, r.Findings}
	}
	for _, c := range m.svc.Consequences {
		audits, err := c.Derive(m.ctx, m.tx, merged)
		if err != nil {
			return err
		}
		m.audits = append(m.audits, audits...)
	}
	return nil
}

// loadJudged reads what items are judged by, unless it was read.
func (m *merging) loadJudged(book *rules.Set, ids []firemode.ItemID) error {
	tops := map[crdt.Pointer]bool{}
	for _, id := range ids {
		if m.judged[id] {
			continue
		}
		m.judged[id] = true
		for _, p := range m.basis(book, id) {
			tops[p] = true
		}
	}
	return m.loadLive(tops)
}

// record takes apart what is recorded of an item. Where none of that which was read remains, all of the item is looked at for what else does.
func (m *merging) record(book *rules.Set, id firemode.ItemID, item *firemode.Item) (assess.Record, error) {
	var checks []firemode.Check
	if item != nil {
		checks = item.Checks
	}
	rule := m.derivation.Rules(book, item, m.session)
	r := m.derivation.Read(m.state, id, rule, checks)
	if r.Touched || item == nil {
		return r, nil
	}
	if err := m.loadLive(map[crdt.Pointer]bool{assess.ItemPath(id): true}); err != nil {
		return r, err
	}
	return m.derivation.Read(m.state, id, rule, checks), nil
}

// assess brings the state of an item up to date and reports whether that changed it.
func (m *merging) assess(item *firemode.Item, r assess.Record) bool {
	state, missing := m.derivation.Assess(r, item.Checks, item.Conflicts > 0)
	if state == item.State && r.Outcome == item.Outcome && slices.Equal(missing, item.Missing) {
		return false
	}
	if state == firemode.ItemDone {
		m.head.Done++
	}
	if item.State == firemode.ItemDone {
		m.head.Done--
	}
	item.State, item.Outcome, item.Missing = state, r.Outcome, missing
	return true
}

// countGaps brings the count of actors with a missing number up to date.
func (m *merging) countGaps() {
	for id, was := range m.gapped {
		now := len(m.actors[id].Held.Missing()) > 0
		switch {
		case now && !was:
			m.head.Gaps++
		case was && !now:
			m.head.Gaps--
		}
	}
}

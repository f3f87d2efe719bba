package merge

import (
	"context"
	"maps"
	"slices"

	"firemode"
	"firemode/internal/record/assess"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/rules"
	"firemode/internal/store"
)

// itemChanges collects what a merging has changed at and below items.
type itemChanges struct {
	touched map[firemode.ItemID]bool // true for an item that may have to be assessed again
	opened  map[firemode.ItemID]int  // conflicts opened, less conflicts closed
	// counted is whether the items' conflicts are counted up to the last entry. An older binary
	// that wrote to the session has not counted them.
	counted bool
}

func newItemChanges(h ledger.Head) itemChanges {
	return itemChanges{
		touched: map[firemode.ItemID]bool{}, opened: map[firemode.ItemID]int{}, counted: h.Tallied == h.Seq,
	}
}

// touchItem records a change at a path, and by how much the number of conflicts there changed.
func (m *merging) touchItem(path crdt.Pointer, opened int) {
	if id := assess.ParsePath(path).Item; id != "" {
		m.items.opened[id] += opened
		m.items.touched[id] = m.items.touched[id] || m.mayAffect(id, path)
	}
}

// mayAffect reports whether a change at path may change how the item is assessed: path affects it,
// or nothing is recorded at path now, so that the item may be untouched again.
func (m *merging) mayAffect(id firemode.ItemID, path crdt.Pointer) bool {
	basis, known := m.known.bases[id]
	recorded := slices.ContainsFunc(m.state.Live(path), func(op *crdt.Op) bool { return op.Kind != crdt.Remove })
	return !known || !recorded || assess.Affects(path, basis)
}

// deriveItems updates what follows from the document for the touched items: their states and
// conflict counts, the count of items that are done, and the consequences. It reads, so it must
// follow flush.
func (m *merging) deriveItems(ctx context.Context) error {
	if len(m.items.touched) == 0 || !m.session.Status.Open() {
		return nil
	}
	ids := slices.Sorted(maps.Keys(m.items.touched))
	tops := make([]crdt.Pointer, len(ids))
	for i, id := range ids {
		tops[i] = assess.ItemPath(id)
	}
	ruleSet, err := m.readItems(ctx, tops)
	if err != nil {
		return err
	}
	changed, err := m.countConflicts(ctx, ids)
	if err != nil {
		return err
	}
	affected := slices.DeleteFunc(ids, func(id firemode.ItemID) bool {
		return !m.items.touched[id] && !isStale(m.known.items[id])
	})
	if err := m.assessItems(ctx, ruleSet, affected, changed); err != nil {
		return err
	}
	states := make([]firemode.Item, 0, len(changed))
	for _, id := range slices.Sorted(maps.Keys(changed)) {
		states = append(states, *m.known.items[id])
	}
	return m.ports.itemWriter.SaveItemStates(ctx, m.ref.Org, m.ref.Session, states)
}

// isStale reports whether the stored state of a touched item is stale: it is untouched, or does not
// follow its conflict count. item is nil for one that the session does not list; it has no state.
func isStale(item *firemode.Item) bool {
	if item == nil {
		return false
	}
	return item.State == firemode.ItemUntouched || (item.Conflicts > 0) != (item.State == firemode.ItemDisputed)
}

// assessItems updates the states of items, adds those that changed to changed, and derives the
// consequences.
func (m *merging) assessItems(
	ctx context.Context, ruleSet *rules.Set, ids []firemode.ItemID, changed map[firemode.ItemID]bool,
) error {
	if len(ids) == 0 {
		return nil
	}
	if err := m.readBases(ctx, ruleSet, ids); err != nil {
		return err
	}
	merged := Merged{Session: m.session, At: m.at, Items: make([]AssessedItem, len(ids))}
	for i, id := range ids {
		item := m.known.items[id]
		r, err := m.recordOf(ctx, ruleSet, id, item)
		if err != nil {
			return err
		}
		if item != nil && m.assess(item, r) {
			changed[id] = true
		}
		merged.Items[i] = AssessedItem{ID: id, Findings: r.Findings}
	}
	for _, c := range m.svc.Consequences {
		audits, err := c.Derive(ctx, m.tx, merged)
		if err != nil {
			return err
		}
		m.audits = append(m.audits, audits...)
	}
	return nil
}

// readBases reads what is live at and below the bases of items.
func (m *merging) readBases(ctx context.Context, ruleSet *rules.Set, ids []firemode.ItemID) error {
	tops := map[crdt.Pointer]bool{}
	for _, id := range ids {
		if m.known.assessable[id] {
			continue
		}
		m.known.assessable[id] = true
		for _, p := range m.basis(ruleSet, id) {
			tops[p] = true
		}
	}
	return m.readLive(ctx, tops)
}

// recordOf returns what is recorded of an item. If nothing remains of what was read, it reads all
// of the item, to find out whether the item is untouched.
func (m *merging) recordOf(
	ctx context.Context, ruleSet *rules.Set, id firemode.ItemID, item *firemode.Item,
) (assess.Record, error) {
	var checks []firemode.Check
	if item != nil {
		checks = item.Checks
	}
	rule := m.derivation.Rules(ruleSet, item, m.session)
	r := m.derivation.Read(m.state, id, rule, checks)
	if r.Touched || item == nil {
		return r, nil
	}
	if err := m.readLive(ctx, map[crdt.Pointer]bool{assess.ItemPath(id): true}); err != nil {
		return r, err
	}
	return m.derivation.Read(m.state, id, rule, checks), nil
}

// assess updates the state of an item, and reports whether that changed it.
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

// countConflicts updates the conflict counts of the touched items, and returns the items whose
// count changed. If an older binary has written to the session without counting, it counts the
// conflicts of the whole session.
func (m *merging) countConflicts(
	ctx context.Context, touched []firemode.ItemID,
) (changed map[firemode.ItemID]bool, err error) {
	changed = map[firemode.ItemID]bool{}
	if !m.items.counted {
		m.items.counted = true
		return changed, m.recountConflicts(ctx, changed)
	}
	for _, id := range touched {
		if item := m.known.items[id]; item != nil && m.items.opened[id] != 0 {
			item.Conflicts += m.items.opened[id]
			changed[id] = true
		}
	}
	return changed, nil
}

// recountConflicts counts the conflicts of every item, and adds the items whose count was wrong to
// changed.
func (m *merging) recountConflicts(ctx context.Context, changed map[firemode.ItemID]bool) error {
	open := map[firemode.ItemID]int{}
	err := m.eachItem(ctx, func(id firemode.ItemID, state *crdt.State) {
		if n := len(state.Conflicts(assess.ItemPath(id), m.head.Key)); n > 0 {
			open[id] = n
		}
	})
	if err != nil {
		return err
	}
	list := func(p store.Page) ([]store.Keyed[firemode.Item], error) {
		return m.ports.items.Items(ctx, m.ref.Org, m.ref.Session, store.ItemFilter{}, p)
	}
	return store.EachRow(list, func(item firemode.Item) error {
		if m.known.items[item.ID] == nil {
			m.known.items[item.ID] = &item
		}
		if known := m.known.items[item.ID]; known.Conflicts != open[item.ID] {
			known.Conflicts = open[item.ID]
			changed[item.ID] = true
		}
		return nil
	})
}

// eachItem calls fn for every item of which something is live, with what is live at and below it.
func (m *merging) eachItem(ctx context.Context, fn func(firemode.ItemID, *crdt.State)) error {
	merged, err := store.MergedRanges(ctx, m.tx, m.ref)
	if err != nil {
		return err
	}
	state, current := crdt.NewState(merged), firemode.ItemID("")
	end := func() {
		if current != "" {
			fn(current, state)
		}
	}
	err = m.ports.ops.EachLiveOp(ctx, m.ref, 0, "", func(op crdt.Op) error {
		if item := assess.ParsePath(op.Path).Item; item != current {
			end()
			state, current = crdt.NewState(merged), item
		}
		state.Load(op)
		return nil
	})
	end()
	return err
}

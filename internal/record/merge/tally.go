package merge

import (
	"firemode"
	"firemode/internal/record/assess"
	"firemode/internal/record/crdt"
	"firemode/internal/store"
)

// tally brings the numbers of open conflicts of the touched items up to date, and returns the items whose number changed. An older binary
// that has written in the meantime has not kept them: then those of the whole session are counted anew.
func (m *merging) tally(touched []firemode.ItemID) (changed map[firemode.ItemID]bool, err error) {
	changed = map[firemode.ItemID]bool{}
	if !m.tallied {
		m.tallied = true
		return changed, m.recount(changed)
	}
	for _, id := range touched {
		if item := m.items[id]; item != nil && m.opened[id] != 0 {
			item.Conflicts += m.opened[id]
			changed[id] = true
		}
	}
	return changed, nil
}

func (m *merging) recount(changed map[firemode.ItemID]bool) error {
	open := map[firemode.ItemID]int{}
	err := m.eachItem(func(id firemode.ItemID, state *crdt.State) {
		if n := len(state.Conflicts(assess.ItemPath(id), m.head.Key)); n > 0 {
			open[id] = n
		}
	})
	if err != nil {
		return err
	}
	list := func(p store.Page) ([]store.Keyed[firemode.Item], error) {
		return store.As[store.ItemReader](m.tx).Items(m.ctx, m.ref.Org, m.ref.Session, store.ItemFilter{}, p)
	}
	return store.EachRow(list, func(item firemode.Item) error {
		if m.items[item.ID] == nil {
			m.items[item.ID] = &item
		}
		if known := m.items[item.ID]; known.Conflicts != open[item.ID] {
			known.Conflicts = open[item.ID]
			changed[item.ID] = true
		}
		return nil
	})
}

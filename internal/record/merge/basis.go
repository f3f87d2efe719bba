package merge

import (
	"firemode"
	"firemode/internal/record/crdt"
	"firemode/internal/rules"
)

// basis is basisOf an item of the session, which has been read if it is listed.
func (m *merging) basis(book *rules.Set, id firemode.ItemID) []crdt.Pointer {
	if known, ok := m.bases[id]; ok {
		return known
	}
	item := m.items[id]
	m.bases[id] = m.derivation.Basis(id, item, m.derivation.Rules(book, item, m.session))
	return m.bases[id]
}

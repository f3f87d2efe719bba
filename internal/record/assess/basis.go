package assess

import (
	"maps"
	"slices"

	"firemode"
	"firemode/internal/record/crdt"
	"firemode/internal/rules"
)

// basisFields are the fields of an item that always belong to its basis. Of its measurements only
// those do that a check limits: an item may have any number of others, which are not read when one
// of its paths is written.
func basisFields() []string {
	return []string{"outcome", "reason", "checks", "conditions", "scope", "override"}
}

// basis returns basisFields of an item and the measurements that one of its checks limits. An item
// that the session does not list has no checks.
func basis(id firemode.ItemID, item *firemode.Item, rule RuleLookup) []crdt.Pointer {
	top := ItemPath(id)
	var paths []crdt.Pointer
	for _, field := range basisFields() {
		paths = append(paths, top.Child(field))
	}
	if item == nil {
		return paths
	}
	limited := map[crdt.Pointer]bool{}
	for _, c := range item.Checks {
		version, _ := rule(c.Rule)
		for _, limit := range version.Schema.Limits {
			limited[top.Child("measurements").Child(limit.Measurement)] = true
		}
	}
	return append(paths, slices.Sorted(maps.Keys(limited))...)
}

// Affects reports whether a change at p can change how the item with that basis is assessed.
func Affects(p crdt.Pointer, basis []crdt.Pointer) bool {
	return slices.ContainsFunc(basis, func(b crdt.Pointer) bool { return b.Holds(p) || p.Holds(b) })
}

// pinnedRules finds the version that is pinned to the item's check, else the version that was in
// force when the session was made.
func pinnedRules(all *rules.Set, item *firemode.Item, session firemode.Session) RuleLookup {
	return func(code firemode.RuleCode) (firemode.Rule, bool) {
		if item != nil {
			for _, c := range item.Checks {
				if c.Rule == code {
					return all.At(code, c.Version)
				}
			}
		}
		return all.InForceAt(code, session.CreatedAt)
	}
}

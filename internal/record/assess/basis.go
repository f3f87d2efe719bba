package assess

import (
	"maps"
	"slices"

	"firemode"
	"firemode/internal/record/crdt"
	"firemode/internal/rules"
)

// judgedFields are the fields of an item on which its state and its defects rest. Of measurements only those count that a check limits,
// see basisOf; what else is recorded of an item can be as much as it likes, and is not read when one of its paths is written.
func judgedFields() []string {
	return []string{"outcome", "reason", "checks", "conditions", "scope", "override"}
}

// Basis returns the paths at and below which everything stands that an item is judged by. item is nil for one that the session does
// not list: then no measurement has limits.
func Basis(id firemode.ItemID, item *firemode.Item, rule func(firemode.RuleCode) (firemode.Rule, bool)) []crdt.Pointer {
	top := ItemPath(id)
	var basis []crdt.Pointer
	for _, field := range judgedFields() {
		basis = append(basis, top.Child(field))
	}
	if item == nil {
		return basis
	}
	limited := map[crdt.Pointer]bool{}
	for _, c := range item.Checks {
		version, _ := rule(c.Rule)
		for _, limit := range version.Schema.Limits {
			limited[top.Child("measurements").Child(limit.Measurement)] = true
		}
	}
	return append(basis, slices.Sorted(maps.Keys(limited))...)
}

// Bears reports whether what is written at p can change how its item is judged.
func Bears(p crdt.Pointer, basis []crdt.Pointer) bool {
	return slices.ContainsFunc(basis, func(b crdt.Pointer) bool { return b.Holds(p) || p.Holds(b) })
}

// RuleOf returns the version by which code is judged on an item: the one pinned to its check, else the one that was in force when
// the session was made.
func RuleOf(book *rules.Set, item *firemode.Item, session firemode.Session) func(firemode.RuleCode) (firemode.Rule, bool) {
	return func(code firemode.RuleCode) (firemode.Rule, bool) {
		if item != nil {
			for _, c := range item.Checks {
				if c.Rule == code {
					return book.At(code, c.Version)
				}
			}
		}
		return book.InForceAt(code, session.CreatedAt)
	}
}

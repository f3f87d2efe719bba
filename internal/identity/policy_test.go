package identity

import (
	"slices"
	"strings"
	"testing"

	"firemode"
)

// The expected table is written independently, by role, in the words of the contract's "Who may
// what".
func TestPolicy_EachRole_MatchesTheContract(t *testing.T) {
	t.Parallel()
	reads := []Permission{
		OwnRead, RuleRead, BuildingRead, AssetRead, SessionRead, BundleRead, ResultRead, DefectRead,
	}
	fieldWork := slices.Concat(reads, []Permission{OwnWrite, Classify, ResultSubmit})
	all := Permissions()
	butUsersAndRules := slices.DeleteFunc(slices.Clone(all), func(p Permission) bool {
		return p == UserWrite || p == RuleWrite
	})
	want := map[firemode.Role][]Permission{
		firemode.RoleAdmin:      all,
		firemode.RoleManager:    butUsersAndRules,
		firemode.RoleTechnician: fieldWork,
		firemode.RoleEngineer:   append(slices.Clone(fieldWork), DefectWrite),
		firemode.RoleOwner:      append(slices.Clone(reads), OwnWrite),
		"":                      nil,
		"root":                  nil,
	}
	if len(want) != len(firemode.Roles)+2 {
		t.Fatalf("the test knows %d roles, there are %d", len(want)-2, len(firemode.Roles))
	}
	for role, allowed := range want {
		for _, p := range all {
			if got := p.Allows(role); got != slices.Contains(allowed, p) {
				t.Errorf("%q.Allows(%q) = %t", p, role, got)
			}
		}
	}
}

func TestPermissions_AreUniqueAndClosed(t *testing.T) {
	t.Parallel()
	seen := make(map[Permission]bool)
	for _, p := range Permissions() {
		if seen[p] || strings.TrimSpace(string(p)) == "" {
			t.Errorf("permission %q is listed twice or empty", p)
		}
		seen[p] = true
	}
	for _, p := range []Permission{"", "building", "building.delete", "BUILDING.READ"} {
		if p.Allows(firemode.RoleAdmin) {
			t.Errorf("unknown permission %q is allowed", p)
		}
	}
}

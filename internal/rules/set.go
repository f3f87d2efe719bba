package rules

import (
	"cmp"
	"slices"
	"time"

	"firemode"
)

// Set is every rule version that an organisation sees. It is immutable and safe for concurrent use.
// Callers must not change what it returns.
type Set struct {
	versions map[firemode.RuleCode][]firemode.Rule // newest first
	inForce  map[firemode.RuleCode]firemode.Rule
	all      []firemode.Rule // in force, by code
}

// NewSet returns the set of rs, in any order. If a shared version and one of the organisation have
// the same code and version, the organisation's is used.
func NewSet(rs []firemode.Rule) *Set {
	b := &Set{versions: map[firemode.RuleCode][]firemode.Rule{}, inForce: map[firemode.RuleCode]firemode.Rule{}}
	for _, r := range rs {
		b.versions[r.Code] = append(b.versions[r.Code], r)
	}
	for code, versions := range b.versions {
		slices.SortFunc(versions, func(x, y firemode.Rule) int {
			return cmp.Or(CompareVersions(y.Version, x.Version), cmp.Compare(y.Org, x.Org))
		})
		b.versions[code] = slices.CompactFunc(versions, func(x, y firemode.Rule) bool { return x.Version == y.Version })
		for _, r := range b.versions[code] {
			if r.DeactivatedAt.IsZero() {
				b.inForce[code] = r
				b.all = append(b.all, r)
				break
			}
		}
	}
	slices.SortFunc(b.all, func(x, y firemode.Rule) int { return cmp.Compare(x.Code, y.Code) })
	return b
}

// InForce returns the highest version of code that is active; ok is false when there is none.
func (b *Set) InForce(code firemode.RuleCode) (r firemode.Rule, ok bool) {
	r, ok = b.inForce[code]
	return r, ok
}

// InForceAt returns the highest version of code that was active at t; ok is false when there was
// none.
func (b *Set) InForceAt(code firemode.RuleCode, t time.Time) (r firemode.Rule, ok bool) {
	for _, r := range b.versions[code] {
		if r.ActiveAt(t) {
			return r, true
		}
	}
	return firemode.Rule{}, false
}

// At returns one version of code, active or not.
func (b *Set) At(code firemode.RuleCode, version string) (r firemode.Rule, ok bool) {
	for _, r := range b.versions[code] {
		if r.Version == version {
			return r, true
		}
	}
	return firemode.Rule{}, false
}

// Versions returns every version of code, newest first, active or not; none for an unknown code.
func (b *Set) Versions(code firemode.RuleCode) []firemode.Rule { return b.versions[code] }

// All returns the rules in force, by code.
func (b *Set) All() []firemode.Rule { return b.all }

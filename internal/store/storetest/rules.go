package storetest

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"firemode"
	"firemode/internal/store"
)

const code = firemode.RuleCode("AS1851-2012-FE-01")

// rulesOf returns the rules that org sees, by code and version as text.
func rulesOf(t testing.TB, s store.Database, org firemode.OrgID) []firemode.Rule {
	t.Helper()
	list := read(t, s, func(ctx context.Context, tx store.ReadTx) ([]firemode.Rule, error) {
		return store.As[store.RuleReader](tx).Rules(ctx, org)
	})
	slices.SortFunc(list, func(a, b firemode.Rule) int {
		return cmp.Or(cmp.Compare(a.Code, b.Code), cmp.Compare(a.Version, b.Version))
	})
	return list
}

func stampOf(t testing.TB, s store.Database, org firemode.OrgID) int64 {
	t.Helper()
	return read(t, s, func(ctx context.Context, tx store.ReadTx) (int64, error) {
		return store.As[store.RuleReader](tx).RulesStamp(ctx, org)
	})
}

func createRules(t testing.TB, s store.Database, rules ...firemode.Rule) {
	t.Helper()
	update(t, s, func(ctx context.Context, tx store.Tx) error {
		return store.As[store.RuleWriter](tx).CreateRules(ctx, rules)
	})
}

// deactivate returns the time at which the version was deactivated.
func deactivate(t testing.TB, s store.Database, org firemode.OrgID, version string) (at time.Time) {
	t.Helper()
	update(t, s, func(ctx context.Context, tx store.Tx) error {
		at = tx.Now()
		return store.As[store.RuleWriter](tx).DeactivateRule(ctx, org, code, version, "u1")
	})
	return at
}

func ruleTests() []test {
	return []test{
		{"an organisation's own versions lie over the shared catalogue", func(t *testing.T, s store.Database) {
			shared1, shared2 := newRule("", code, "1.9.0"), newRule("", code, "1.10.0")
			own1, own2, foreign := newRule("o1", code, "1.10.0"), newRule("o1", "X.1", "2.0.0-rc.1"), newRule("o2",
				code, "1.10.0")
			createRules(t, s, shared1, shared2, own1, own2, foreign)
			equal(t, rulesOf(t, s, ""), []firemode.Rule{shared2, shared1})
			equal(t, rulesOf(t, s, "o1"), []firemode.Rule{own1, shared1, own2})
			equal(t, rulesOf(t, s, "o2"), []firemode.Rule{foreign, shared1})
			equal(t, rulesOf(t, s, "o3"), []firemode.Rule{shared2, shared1})
		}},
		{"a version never changes", func(t *testing.T, s store.Database) {
			createRules(t, s, newRule("o1", code, "1.0.0"))
			taken(t, s, "this version of the rule exists already; versions never change", func(ctx context.Context,
				tx store.Tx,
			) error {
				return store.As[store.RuleWriter](tx).CreateRules(ctx, []firemode.Rule{
					newRule("o1", code, "1.1.0"),
					newRule("o1", code, "1.0.0"),
				})
			})
			equal(t, rulesOf(t, s, "o1"), []firemode.Rule{newRule("o1", code, "1.0.0")})
		}},
		{"a rule with nothing but its names", func(t *testing.T, s store.Database) {
			r := firemode.Rule{Code: "X", Version: "1.0.0"}
			createRules(t, s, r)
			equal(t, rulesOf(t, s, ""), []firemode.Rule{r})
		}},
		{"deactivating touches nobody else, and happens once", func(t *testing.T, s store.Database) {
			shared, own := newRule("", code, "1.0.0"), newRule("o1", code, "2.0.0")
			createRules(t, s, shared, own)
			shared.DeactivatedAt = deactivate(t, s, "o1", "1.0.0")
			stamp := stampOf(t, s, "o1")
			deactivate(t, s, "o1", "1.0.0")
			equal(t, stampOf(t, s, "o1"), stamp)
			equal(t, rulesOf(t, s, "o1"), []firemode.Rule{shared, own})
			equal(t, rulesOf(t, s, "o2"), []firemode.Rule{newRule("", code, "1.0.0")})
			own.DeactivatedAt = deactivate(t, s, "o1", "2.0.0")
			equal(t, rulesOf(t, s, "o1"), []firemode.Rule{shared, own})
		}},
		{"a shared version is deactivated by its owner for all, and the first time counts", func(t *testing.T,
			s store.Database,
		) {
			shared := newRule("", code, "1.0.0")
			createRules(t, s, shared)
			first := deactivate(t, s, "o1", "1.0.0")
			second := deactivate(t, s, "", "1.0.0")
			shared.DeactivatedAt = first
			equal(t, rulesOf(t, s, "o1"), []firemode.Rule{shared})
			shared.DeactivatedAt = second
			equal(t, rulesOf(t, s, "o2"), []firemode.Rule{shared})
		}},
		{"deactivating what the organisation does not see", func(t *testing.T, s store.Database) {
			createRules(t, s, newRule("o2", code, "1.0.0"))
			refuse(t, s, firemode.CodeNotFound, func(ctx context.Context, tx store.Tx) error {
				return store.As[store.RuleWriter](tx).DeactivateRule(ctx, "o1", code, "1.0.0", "u1")
			})
		}},
		{"the stamp moves with every change that an organisation can see", ruleStamps},
	}
}

func ruleStamps(t *testing.T, s store.Database) {
	seen := map[firemode.OrgID][]int64{}
	look := func() {
		for _, org := range []firemode.OrgID{"", "o1", "o2"} {
			seen[org] = append(seen[org], stampOf(t, s, org))
		}
	}
	look()
	createRules(t, s, newRule("", code, "1.0.0"), newRule("", code, "1.1.0"))
	look()
	createRules(t, s, newRule("o1", code, "1.0.0"))
	look()
	deactivate(t, s, "o1", "1.1.0")
	look()
	deactivate(t, s, "", "1.1.0")
	look()
	err := s.Update(t.Context(), func(tx store.Tx) error {
		return errors.Join(store.As[store.RuleWriter](tx).CreateRules(t.Context(), []firemode.Rule{newRule("o1", code,
			"3.0.0")}), errTest)
	})
	equal(t, errors.Is(err, errTest), true)
	look()
	moves := func(org firemode.OrgID) (moved []bool) {
		for i := range len(seen[org]) - 1 {
			moved = append(moved, seen[org][i+1] != seen[org][i])
		}
		return moved
	}
	equal(t, moves(""), []bool{true, false, false, true, false})
	equal(t, moves("o1"), []bool{true, true, true, true, false})
	equal(t, moves("o2"), []bool{true, false, false, true, false})
}

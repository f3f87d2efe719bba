package assess_test

import (
	"slices"
	"testing"

	"firemode"
	"firemode/internal/record/assess"
	"firemode/internal/record/crdt"
)

func TestBasis_UnlistedItem_FieldsWithoutMeasurements(t *testing.T) {
	d := assess.DerivationOf(firemode.CurrentFormat)
	got := d.Basis("a/b", nil, d.Rules(ruleSet(), nil, firemode.Session{CreatedAt: day(2)}))
	want := []crdt.Pointer{
		"/items/a~1b/outcome", "/items/a~1b/reason", "/items/a~1b/checks", "/items/a~1b/conditions",
		"/items/a~1b/scope", "/items/a~1b/override",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestAffects(t *testing.T) {
	basis := []crdt.Pointer{"/items/E1/checks", "/items/E1/measurements/flow_lps"}
	for p, want := range map[crdt.Pointer]bool{
		"/items/E1":                       true, // above
		"/items/E1/checks":                true,
		"/items/E1/checks/FE-01":          true,
		"/items/E1/measurements":          true,
		"/items/E1/measurements/flow_lps": true,
		"/items/E1/measurements/flow":     false,
		"/items/E1/checks2":               false,
		"/items/E2/checks":                false,
		"/items/E1/note":                  false,
	} {
		if got := assess.Affects(p, basis); got != want {
			t.Errorf("%s: %t, want %t", p, got, want)
		}
	}
}

func TestRules_PinnedElseInForceAtCreation(t *testing.T) {
	d := assess.DerivationOf(firemode.CurrentFormat)
	pinned := &firemode.Item{Checks: []firemode.Check{{Rule: "FE-01", Version: "1.1.0"}}}
	for _, test := range []struct {
		item *firemode.Item
		day  int
		want string
	}{
		{pinned, 2, "1.1.0"},
		{&firemode.Item{}, 2, "1.0.0"},
		{nil, 2, "1.0.0"},
		{nil, 4, "1.1.0"},
	} {
		got, ok := d.Rules(ruleSet(), test.item, firemode.Session{CreatedAt: day(test.day)})("FE-01")
		if !ok || got.Version != test.want {
			t.Errorf("%+v on day %d: version %q, known %t, want %q", test.item, test.day, got.Version, ok, test.want)
		}
	}
	if _, ok := d.Rules(ruleSet(), nil, firemode.Session{CreatedAt: day(0)})("FE-01"); ok {
		t.Error("a rule was in force before it was created")
	}
}

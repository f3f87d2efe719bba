package rules_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"firemode"
	"firemode/internal/rules"
)

var day0 = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

func day(n int) time.Time { return day0.AddDate(0, 0, n) }

// made returns a version of rule R that was made on day from and deactivated on day to, never if
// that is 0.
func made(version string, from, to int) firemode.Rule {
	r := firemode.Rule{Code: "R", Version: version, Name: version, CreatedAt: day(from)}
	if to != 0 {
		r.DeactivatedAt = day(to)
	}
	return r
}

func TestSet_InForce(t *testing.T) {
	set := rules.NewSet([]firemode.Rule{
		made("1.9.0", 1, 0), made("2.0.0", 5, 7), made("1.10.0", 3, 0),
		made("1.10.0-rc.1", 2, 0),
	})
	if r, ok := set.InForce("R"); !ok || r.Version != "1.10.0" {
		t.Errorf("in force is %s, want 1.10.0: 2.0.0 has been deactivated", r.Version)
	}
	for n, want := range map[int]string{
		0: "", 1: "1.9.0", 2: "1.10.0-rc.1", 3: "1.10.0", 4: "1.10.0", 5: "2.0.0",
		6: "2.0.0", 7: "1.10.0", 8: "1.10.0",
	} {
		if r, ok := set.InForceAt("R", day(n)); r.Version != want || ok != (want != "") {
			t.Errorf("on day %d %q is in force, want %q", n, r.Version, want)
		}
	}
	if r, ok := set.At("R", "2.0.0"); !ok || r.Version != "2.0.0" {
		t.Errorf("At finds %q, want the inactive 2.0.0", r.Version)
	}
	if _, ok := set.At("R", "3.0.0"); ok {
		t.Error("At finds a version that was never made")
	}
	var order []string
	for _, r := range set.Versions("R") {
		order = append(order, r.Version)
	}
	if want := []string{"2.0.0", "1.10.0", "1.10.0-rc.1", "1.9.0"}; !slices.Equal(order, want) {
		t.Errorf("versions %v, want %v", order, want)
	}
}

func TestSet_NothingInForce(t *testing.T) {
	set := rules.NewSet([]firemode.Rule{made("1.0.0", 1, 2)})
	if r, ok := set.InForce("R"); ok {
		t.Errorf("%s is in force, want none", r.Version)
	}
	if _, ok := set.InForce("S"); ok || len(set.Versions("S")) != 0 {
		t.Error("an unknown code is known")
	}
	if len(set.All()) != 0 {
		t.Errorf("%d rules in force, want none", len(set.All()))
	}
}

func TestNewSet_SameVersion_OwnPreferred(t *testing.T) {
	shared, own := made("1.0.0", 1, 0), made("1.0.0", 2, 0)
	own.Org, own.Name = "acme", "own"
	for _, rs := range [][]firemode.Rule{{shared, own}, {own, shared}} {
		set := rules.NewSet(rs)
		if r, _ := set.InForce("R"); r.Name != "own" || len(set.Versions("R")) != 1 {
			t.Errorf("%q of %d versions is in force, want the own one of one", r.Name, len(set.Versions("R")))
		}
	}
}

func TestSet_All_SortedByCode(t *testing.T) {
	all := rules.NewSet(catalogue(t)).All()
	if len(all) != 174 || !slices.IsSortedFunc(all, func(a, b firemode.Rule) int { return cmpCode(a, b) }) {
		t.Errorf("%d rules, want 174 sorted by code", len(all))
	}
}

func cmpCode(a, b firemode.Rule) int {
	if a.Code < b.Code {
		return -1
	}
	return 1
}

// TestInForceIsTheHighestActive holds the set to the definition, and shows that the order of its
// rules does not matter.
func TestInForceIsTheHighestActive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		versions := rapid.SliceOfNDistinct(anyVersion, 0, 8, rapid.ID).Draw(t, "versions")
		var rs []firemode.Rule
		for _, v := range versions {
			from := rapid.IntRange(0, 5).Draw(t, "made")
			rs = append(rs, made(v, from, rapid.SampledFrom([]int{0, from + 1, from + 3}).Draw(t, "deactivated")))
		}
		at := rapid.IntRange(0, 10).Draw(t, "day")
		want := ""
		for _, r := range rs {
			if r.ActiveAt(day(at)) && (want == "" || rules.CompareVersions(r.Version, want) > 0) {
				want = r.Version
			}
		}
		got, ok := rules.NewSet(rapid.Permutation(rs).Draw(t, "order")).InForceAt("R", day(at))
		if got.Version != want || ok != (want != "") {
			t.Fatalf("%q is in force, want %q", got.Version, want)
		}
	})
}

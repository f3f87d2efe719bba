package rules_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"firemode/internal/rules"
)

// ascending are versions in the order that semver.org gives, and build metadata last.
var ascending = [...]string{
	"0.0.0", "0.1.0", "0.9.9", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2",
	"1.0.0-beta.11",
	"1.0.0-rc.1", "1.0.0", "1.0.0+a", "1.0.0+b", "1.2.0", "1.9.0", "1.10.0", "2.0.0", "10.0.0",
	"99999999999999999999.0.0",
}

func TestCompareVersions(t *testing.T) {
	for i, a := range ascending {
		if !rules.ValidVersion(a) {
			t.Errorf("%s is not valid", a)
		}
		for j, b := range ascending {
			want := 0
			if i < j {
				want = -1
			} else if i > j {
				want = 1
			}
			if got := rules.CompareVersions(a, b); got != want {
				t.Errorf("CompareVersions(%s, %s) = %d, want %d", a, b, got, want)
			}
		}
	}
}

var anyVersion = rapid.Custom(func(t *rapid.T) string {
	part := rapid.IntRange(0, 12)
	v := fmt.Sprintf("%d.%d.%d", part.Draw(t, "major"), part.Draw(t, "minor"), part.Draw(t, "patch"))
	v += rapid.SampledFrom([]string{"", "-alpha", "-alpha.1", "-2", "-10", "-rc.1"}).Draw(t, "pre-release")
	return v + rapid.SampledFrom([]string{"", "+b1", "+b2"}).Draw(t, "build")
})

func TestVersionOrderIsTotal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := anyVersion.Draw(t, "a"), anyVersion.Draw(t, "b"), anyVersion.Draw(t, "c")
		if got := rules.CompareVersions(a, b); got != -rules.CompareVersions(b, a) {
			t.Fatalf("%s and %s are not antisymmetric", a, b)
		}
		if (rules.CompareVersions(a, b) == 0) != (a == b) {
			t.Fatalf("%s and %s: equal in order only if equal", a, b)
		}
		sorted := []string{a, b, c}
		slices.SortFunc(sorted, rules.CompareVersions)
		if rules.CompareVersions(sorted[0], sorted[2]) > 0 {
			t.Fatalf("%v: the order is not transitive", sorted)
		}
	})
}

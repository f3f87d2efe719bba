package assets

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestGuard(t *testing.T) {
	for cell, want := range map[string]string{
		"":                "",
		"plain":           "plain",
		"a=b":             "a=b",
		"=1+1":            "'=1+1",
		"+61 2 5550 0000": "'+61 2 5550 0000",
		"-001":            "'-001",
		"@SUM(A1)":        "'@SUM(A1)",
		"＝1":              "'＝1",
		"'=1":             "''=1",
		"'quoted'":        "'quoted'",
	} {
		if got := guard(cell); got != want {
			t.Errorf("guard(%q) = %q, want %q", cell, got, want)
		}
	}
}

func TestUnguardReversesGuard(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cell := rapid.OneOf(rapid.String(), rapid.StringMatching(`'{0,3}[=+@＝-]?.*`)).Draw(t, "cell")
		if got := unguard(guard(cell)); got != cell {
			t.Fatalf("unguard(guard(%q)) = %q", cell, got)
		}
		if strings.ContainsAny(firstRune(guard(cell)), formulaStarts) {
			t.Fatalf("guard(%q) = %q", cell, guard(cell))
		}
	})
}

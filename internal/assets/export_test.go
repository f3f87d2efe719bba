package assets

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestEscapeFormula_FormulaStart_GetsApostrophe(t *testing.T) {
	t.Parallel()
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
		if got := escapeFormula(cell); got != want {
			t.Errorf("escapeFormula(%q) = %q, want %q", cell, got, want)
		}
	}
}

func TestUnescapeFormula_InvertsEscapeFormula(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		cell := rapid.OneOf(rapid.String(), rapid.StringMatching(`'{0,3}[=+@＝-]?.*`)).Draw(t, "cell")
		if got := unescapeFormula(escapeFormula(cell)); got != cell {
			t.Fatalf("unescapeFormula(escapeFormula(%q)) = %q", cell, got)
		}
		if strings.ContainsAny(firstRune(escapeFormula(cell)), formulaStarts) {
			t.Fatalf("escapeFormula(%q) = %q", cell, escapeFormula(cell))
		}
	})
}

package rules_test

import (
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"firemode/internal/rules"
)

func TestParseDecimal(t *testing.T) {
	for text, valid := range map[string]bool{
		"0": true, "-0": true, "12.50": true, "-1.5e+64": true, "1E-64": true, "1e0064": true,
		strings.Repeat("9", 34):        true,
		"0." + strings.Repeat("1", 33): true,
		"":                             false, "1.": false, ".5": false, "+1": false, "01": false, "1e": false,
		"1e65": false, "1e-65": false,
		strings.Repeat("9", 35): false, "0." + strings.Repeat("1", 34): false, "1e99999999999999999999": false,
		"1/3": false, "0x10": false,
		"1_000": false, "NaN": false, "Inf": false, " 1": false, "1\n": false, "١": false,
	} {
		if _, err := rules.ParseDecimal(text); (err == nil) != valid {
			t.Errorf("ParseDecimal(%q): %v, want valid %v", text, err, valid)
		}
	}
}

var anyDecimal = rapid.StringMatching(`-?(0|[1-9][0-9]{0,15})(\.[0-9]{1,15})?([eE][+-]?[0-9]{1,2})?`)

func TestDecimalsCompareExactly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, y := anyDecimal.Draw(t, "x"), anyDecimal.Draw(t, "y")
		a, errA := rules.ParseDecimal(x)
		b, errB := rules.ParseDecimal(y)
		if errA != nil || errB != nil {
			t.Skip("an exponent over 64")
		}
		p, _ := new(big.Rat).SetString(x)
		q, _ := new(big.Rat).SetString(y)
		if got, want := a.Cmp(b), p.Cmp(q); got != want {
			t.Fatalf("%s against %s: %d, want %d", x, y, got, want)
		}
	})
}

package decimal_test

import (
	"encoding/json"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"firemode/internal/decimal"
)

func TestParse(t *testing.T) {
	for _, c := range []struct{ text, canonical, refused string }{
		{"0", "0", ""},
		{"-0.0e5", "0", ""},
		{"12.50", "125e-1", ""},
		{"-1.25e+1", "-125e-1", ""},
		{"1E-64", "1e-64", ""},
		{"1e0064", "1e64", ""},
		{strings.Repeat("9", 34), strings.Repeat("9", 34), ""},
		{"0." + strings.Repeat("0", 60) + strings.Repeat("9", 34), strings.Repeat("9", 34) + "e-94", ""},
		{"", "", "not a number"},
		{"-", "", "not a number"},
		{"01", "", "not a number"},
		{"1.", "", "not a number"},
		{".5", "", "not a number"},
		{"+1", "", "not a number"},
		{"1e", "", "not a number"},
		{"1e+", "", "not a number"},
		{"1e5x", "", "not a number"},
		{"1x", "", "not a number"},
		{" 1", "", "not a number"},
		{"NaN", "", "not a number"},
		{"١", "", "not a number"},
		{strings.Repeat("9", 35), "", "more than 34 digits"},
		{"1e65", "", "beyond ±64"},
		{"1e-65", "", "beyond ±64"},
		{"1e99999999999999999999", "", "beyond ±64"},
		{"0." + strings.Repeat("0", 1000) + "1", "", "more than 128 decimal places"},
	} {
		d, err := decimal.Parse(c.text)
		switch {
		case c.refused == "" && (err != nil || d.String() != c.canonical):
			t.Errorf("%.40s: %s, %v; want %s", c.text, d, err, c.canonical)
		case c.refused != "" && (err == nil || !strings.Contains(err.Error(), c.refused)):
			t.Errorf("%.40s: error %v, want one about %q", c.text, err, c.refused)
		}
	}
}

// valid numbers are close to each other, so that equal ones meet.
var valid = rapid.Custom(func(t *rapid.T) string {
	token := rapid.SampledFrom([]string{"", "-"}).Draw(t, "sign")
	token += rapid.SampledFrom([]string{"0", "1", "10", "12", "125", "1000", "12345678901234567890"}).Draw(t, "whole")
	token += rapid.SampledFrom([]string{"", ".0", ".5", ".50", ".05", ".000001", ".25"}).Draw(t, "fraction")
	exponents := rapid.SampledFrom([]string{"", "", "e0", "e1", "E+2", "e-1", "E-02", "e64", "e-64"})
	return token + exponents.Draw(t, "exponent")
})

func TestDecimal_ComparesAsFraction(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, y := valid.Draw(t, "x"), valid.Draw(t, "y")
		a, b := parsed(t, x), parsed(t, y)
		p, q := rational(t, x), rational(t, y)
		if got, want := a.Cmp(b), p.Cmp(q); got != want {
			t.Fatalf("%s against %s: %d, want %d", x, y, got, want)
		}
		if (a == b) != (p.Cmp(q) == 0) || (a.String() == b.String()) != (a == b) {
			t.Fatalf("%s and %s: equal values %v, texts %s and %s", x, y, a == b, a, b)
		}
		if a.Sign() != p.Sign() || a.IsInt() != p.IsInt() {
			t.Fatalf("%s: sign %d, whole %v", x, a.Sign(), a.IsInt())
		}
	})
}

func TestSum_AddsAsFraction(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := new(big.Rat)
		var terms []decimal.Decimal
		for _, text := range rapid.SliceOfN(valid, 0, 5).Draw(t, "terms") {
			terms = append(terms, parsed(t, text))
			want.Add(want, rational(t, text))
		}
		got := decimal.Sum(terms)
		if rational(t, got).Cmp(want) != 0 || !json.Valid([]byte(got)) || strings.ContainsAny(got, "eE") {
			t.Fatalf("the sum is %s, want %s", got, want.RatString())
		}
	})
}

// Parse accepts what encoding/json accepts, within the limits.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"0", "-12.50", "1e64", "01", "1.", "1e+", "-", "1E-5x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := decimal.Parse(s)
		var n json.Number
		isNumber := json.Unmarshal([]byte(s), &n) == nil && s != "null" && strings.TrimSpace(s) == s && s[0] != '"'
		if err == nil && !isNumber || (err != nil && err.Error() == "not a number") == isNumber {
			t.Fatalf("%q: %v", s, err)
		}
		if err == nil && rational(t, d.String()).Cmp(rational(t, s)) != 0 {
			t.Fatalf("%q was read as %s", s, d)
		}
	})
}

func parsed(t *rapid.T, text string) decimal.Decimal {
	d, err := decimal.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func rational(t interface{ Fatalf(string, ...any) }, text string) *big.Rat {
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		t.Fatalf("%s is not a number", text)
	}
	return r
}

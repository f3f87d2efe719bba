package crdt_test

import (
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"firemode/internal/record/crdt"
)

// tokens are JSON numbers within the limits in every spelling, and close to each other so that
// equal ones meet.
var tokens = rapid.Custom(func(t *rapid.T) string {
	token := rapid.SampledFrom([]string{"", "-"}).Draw(t, "sign") + rapid.SampledFrom([]string{
		"0", "1", "10", "12", "125", "1000", "9999999999999999999999999999", "12345678901234567890",
	}).Draw(t, "whole")
	token += rapid.SampledFrom([]string{"", ".0", ".5", ".50", ".05", ".000001", ".25"}).Draw(t, "fraction")
	exponents := rapid.SampledFrom([]string{"", "", "e0", "e1", "E+2", "e-1", "E-02", "e64", "e-64"})
	return token + exponents.Draw(t, "exponent")
})

func rat(t interface{ Fatalf(string, ...any) }, token string) *big.Rat {
	r, ok := new(big.Rat).SetString(token)
	if !ok {
		t.Fatalf("%s is not a number", token)
	}
	return r
}

func TestNumbersAreEqualAsExactDecimals(t *testing.T) {
	check(t, 5_000, 5_000, func(t *rapid.T) {
		a, b := tokens.Draw(t, "a"), tokens.Draw(t, "b")
		got := crdt.Value(a).Equal(crdt.Value(b))
		if want := rat(t, a).Cmp(rat(t, b)) == 0; got != want {
			t.Fatalf("%s = %s: %v", a, b, got)
		}
		if in := crdt.Value("[" + a + "]"); in.Equal(crdt.Value("["+b+"]")) != got {
			t.Fatalf("%s and %s compare otherwise inside an array", a, b)
		}
	})
}

func TestIncrementsSumExactly(t *testing.T) {
	check(t, 2_000, 2_000, func(t *rapid.T) {
		s := newServer(none)
		want := new(big.Rat)
		b := batch{actor: "A", number: 1}
		for i, token := range rapid.SliceOfN(tokens, 1, 5).Draw(t, "deltas") {
			want.Add(want, rat(t, token))
			dot := crdt.Dot{Actor: "A", Batch: 1, Index: i}
			b.ops = append(b.ops, crdt.Op{Dot: dot, Path: "/a", Kind: crdt.Increment, Value: crdt.Value(token)})
		}
		s.merge(b)
		shown, _ := s.state.Shown("/a")
		if rat(t, string(shown)).Cmp(want) != 0 || !json.Valid([]byte(shown)) ||
			strings.ContainsAny(string(shown), "eE") {
			t.Fatalf("the sum is shown as %s, want %s", shown, want.RatString())
		}
	})
}

func TestNumbersWithinLimits(t *testing.T) {
	for _, c := range []struct{ token, refused string }{
		{"0", ""},
		{"-0.0", ""},
		{"12.50", ""},
		{strings.Repeat("9", 34), ""},
		{"0." + strings.Repeat("0", 60) + strings.Repeat("9", 34), ""},
		{"1e64", ""},
		{"1E-64", ""},
		{"000", "not JSON"},
		{"1.", "not JSON"},
		{"+1", "not JSON"},
		{".5", "not JSON"},
		{"NaN", "not JSON"},
		{strings.Repeat("9", 35), "more than 34 digits"},
		{"1e65", "beyond ±64"},
		{"1e-65", "beyond ±64"},
		{"1e99999999999999999999", "beyond ±64"},
		{"0." + strings.Repeat("0", 1000) + "1", "decimal places"},
	} {
		v, err := crdt.ParseValue([]byte(c.token))
		switch {
		case c.refused == "" && (err != nil || string(v) != c.token || !v.IsNumber()):
			t.Errorf("%.40s: %q, %v", c.token, v, err)
		case c.refused != "" && (err == nil || !strings.Contains(err.Error(), c.refused)):
			t.Errorf("%.40s: error %v, want one about %q", c.token, err, c.refused)
		}
	}
}

// sprint writes all of an operation that a change decides.
func sprint(op crdt.Op) string {
	return fmt.Sprintf("%s %s %s %s sum %d names %v", op.Dot, op.Path, op.Kind, op.Value, op.Sum, op.Names)
}

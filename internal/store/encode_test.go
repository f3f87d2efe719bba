package store_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"firemode"
	"firemode/internal/store"
)

func TestKeyAndBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, id := rapid.Int64().Draw(t, "n"), rapid.String().Draw(t, "id")
		gotN, gotID, err := store.ParseKey(store.Key(n, id))
		if err != nil || gotN != n || gotID != id {
			t.Fatalf("got %d, %q, %v", gotN, gotID, err)
		}
	})
}

// Whatever ParseKey takes is what Key makes: no two keys mean the same row.
func TestParseKeyTakesNothingElse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.StringMatching(`[-+ 0]?[0-9]{0,20}[|.]?[a-z|]{0,3}`).Draw(t, "key")
		n, id, err := store.ParseKey(key)
		if err == nil && store.Key(n, id) != key {
			t.Fatalf("%q was taken as %d, %q", key, n, id)
		}
		if err != nil && firemode.CodeOf(err) != firemode.CodeMalformed {
			t.Fatalf("%q: %v", key, err)
		}
		seq, err := store.ParseSeq(key)
		if err == nil && seq != n && strings.Contains(key, "|") {
			t.Fatalf("%q was taken as %d", key, seq)
		}
	})
}

func TestTimesAreKeptToTheMicrosecond(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		us := rapid.Int64Range(-1<<52, 1<<52).Filter(func(us int64) bool { return us != 0 }).Draw(t, "us")
		at := time.UnixMicro(us).Add(time.Duration(rapid.IntRange(0, 999).Draw(t, "ns")))
		if got := store.FromMicros(store.Micros(at)); !got.Equal(time.UnixMicro(us)) || got.Location() != time.UTC {
			t.Fatalf("%v became %v", at, got)
		}
	})
	if !store.FromMicros(store.Micros(time.Time{})).IsZero() {
		t.Error("the zero time is not kept")
	}
}

func TestFold(t *testing.T) {
	for _, same := range [][]string{
		{"Ann", "ANN", "ann"},
		{"Ångström", "ÅNGSTRÖM", "ångström", "\u212bngström"}, // the last with the sign of the unit
		{"ΔΣΣ", "δσς"},
		{"ſtreet", "STREET"},
	} {
		for _, s := range same {
			if store.Fold(s) != store.Fold(same[0]) || store.Fold(store.Fold(s)) != store.Fold(s) {
				t.Errorf("Fold(%q) = %q, Fold(%q) = %q", s, store.Fold(s), same[0], store.Fold(same[0]))
			}
		}
	}
	if store.Fold("Müller") == store.Fold("Muller") {
		t.Error("accents do not count")
	}
}

func TestJSONThatCannotBe(t *testing.T) {
	if _, err := store.JSON(map[string]any{"x": math.NaN()}); err == nil {
		t.Error("NaN became JSON")
	}
}

func TestColumnsOfAnotherKind(t *testing.T) {
	var at time.Time
	var list []string
	if (store.TimeColumn{Into: &at}).Scan("x") == nil || (store.JSONColumn{Into: &list}).Scan(int64(1)) == nil {
		t.Error("a column of another kind was taken")
	}
}

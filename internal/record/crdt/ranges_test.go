package crdt_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"firemode/internal/record/crdt"
)

// Ranges are a set of numbers: held to a map that is one without thinking.
func TestRangesAreASet(t *testing.T) {
	check(t, 2_000, 2_000, func(t *rapid.T) {
		numbers := rapid.SliceOfN(rapid.Int64Range(1, 24), 0, 30).Draw(t, "numbers")
		var r crdt.Ranges
		model := map[int64]bool{}
		for _, n := range numbers {
			before := slices.Clone(r)
			next := r.Add(n)
			if !slices.Equal(r, before) {
				t.Fatalf("adding %d changed %v to %v", n, before, r)
			}
			r, model[n] = next, true
			compareRanges(t, r, model)
		}
	})
}

func compareRanges(t *rapid.T, r crdt.Ranges, model map[int64]bool) {
	var run, highest int64
	for n := int64(1); n <= 26; n++ {
		if r.Contains(n) != model[n] {
			t.Fatalf("%v contains %d: %v", r, n, !model[n])
		}
		if model[n] {
			highest = n
			if run == n-1 {
				run = n
			}
			if got, want := r.RangeOf(n), island(model, n); got != want {
				t.Fatalf("%v: range of %d is %v, want %v", r, n, got, want)
			}
		}
	}
	if r.Prefix() != run || r.Max() != highest {
		t.Fatalf("%v: prefix %d, max %d; want %d, %d", r, r.Prefix(), r.Max(), run, highest)
	}
	missing := map[int64]bool{}
	for n := int64(1); n < highest; n++ {
		missing[n] = !model[n]
	}
	if got, want := r.Missing(), rangesOf(missing); !slices.Equal(got, want) {
		t.Fatalf("%v: missing %v, want %v", r, got, want)
	}
	if want := rangesOf(model); !slices.Equal(r, want) {
		t.Fatalf("%v, want %v: ranges neither touch nor overlap", r, want)
	}
}

func island(model map[int64]bool, n int64) crdt.Range {
	island := crdt.Range{n, n}
	for model[island[0]-1] {
		island[0]--
	}
	for model[island[1]+1] {
		island[1]++
	}
	return island
}

func rangesOf(model map[int64]bool) crdt.Ranges {
	var r crdt.Ranges
	for n := int64(1); n <= 26; n++ {
		if model[n] && !model[n-1] {
			r = append(r, island(model, n))
		}
	}
	return r
}

func TestNoRanges(t *testing.T) {
	var r crdt.Ranges
	if r.Prefix() != 0 || r.Max() != 0 || r.Contains(1) || r.Missing() != nil {
		t.Errorf("prefix %d, max %d, missing %v", r.Prefix(), r.Max(), r.Missing())
	}
	if far := r.Add(1 << 62); far.Max() != 1<<62 || !slices.Equal(far.Missing(), crdt.Ranges{{1, 1<<62 - 1}}) {
		t.Errorf("%v", far)
	}
}

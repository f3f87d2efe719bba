package crdt

import (
	"slices"
	"sort"
)

// Range is the numbers from its first to its second, both included.
type Range [2]int64

// Ranges is a set of batch numbers as sorted ranges that neither touch nor overlap.
type Ranges []Range

// Add returns r with n in it. r itself is not changed.
func (r Ranges) Add(n int64) Ranges {
	i := r.search(n)
	if i < len(r) && r[i][0] <= n {
		return r
	}
	joinsLeft := i > 0 && r[i-1][1] == n-1
	joinsRight := i < len(r) && r[i][0] == n+1
	out := slices.Clone(r)
	switch {
	case joinsLeft && joinsRight:
		out[i-1][1] = r[i][1]
		return slices.Delete(out, i, i+1)
	case joinsLeft:
		out[i-1][1] = n
		return out
	case joinsRight:
		out[i][0] = n
		return out
	default:
		return slices.Insert(out, i, Range{n, n})
	}
}

// search returns the index of the first range that ends at n or later.
func (r Ranges) search(n int64) int {
	return sort.Search(len(r), func(i int) bool { return r[i][1] >= n })
}

// Contains reports whether n is in r.
func (r Ranges) Contains(n int64) bool {
	i := r.search(n)
	return i < len(r) && r[i][0] <= n
}

// RangeOf returns the unbroken range that n is part of; n must be in r.
func (r Ranges) RangeOf(n int64) Range {
	if i := r.search(n); i < len(r) && r[i][0] <= n {
		return r[i]
	}
	return Range{n, n}
}

// Prefix returns the longest unbroken 1..n, 0 when 1 is missing.
func (r Ranges) Prefix() int64 {
	if len(r) == 0 || r[0][0] != 1 {
		return 0
	}
	return r[0][1]
}

// Max returns the greatest number, 0 for none.
func (r Ranges) Max() int64 {
	if len(r) == 0 {
		return 0
	}
	return r[len(r)-1][1]
}

// Missing returns the numbers from 1 to Max that are not in r.
func (r Ranges) Missing() Ranges {
	var gaps Ranges
	next := int64(1)
	for _, held := range r {
		if held[0] > next {
			gaps = append(gaps, Range{next, held[0] - 1})
		}
		next = held[1] + 1
	}
	return gaps
}

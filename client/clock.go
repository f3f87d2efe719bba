package client

// Clock is a vector clock: for each client of a session the number of the last batch that is
// included. A client numbers its batches from 1.
type Clock map[string]int64

// Range is the batch numbers from the first to the second, both included.
type Range [2]int64

// Ranges is a set of batch numbers, as ascending ranges that neither touch nor overlap.
type Ranges []Range

// Contains reports whether n is in r.
func (r Ranges) Contains(n int64) bool {
	for _, within := range r {
		if within[0] <= n && n <= within[1] {
			return true
		}
	}
	return false
}

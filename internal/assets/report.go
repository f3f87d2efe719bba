package assets

import (
	"cmp"
	"slices"
)

// MaxRejections is how many rejections a Report lists.
const MaxRejections = 10_000

// Report says what an import did with each row, or would do.
type Report struct {
	Created   int
	Updated   int
	Unchanged int
	Rejected  []Rejection // by line; at most MaxRejections
	Omitted   int         // rejections beyond those in Rejected
}

// Rejection is a row that was left out of the register, and why.
type Rejection struct {
	Line    int    // of the file, from 1: where the row starts
	AssetID string // as it was written, shortened if it is very long
	Reason  string // in plain words
}

// reject adds rejections, in order of line.
func (r *Report) reject(all ...[]Rejection) {
	r.Rejected = slices.Concat(all...)
	slices.SortFunc(r.Rejected, func(a, b Rejection) int { return cmp.Compare(a.Line, b.Line) })
	if extra := len(r.Rejected) - MaxRejections; extra > 0 {
		r.Rejected, r.Omitted = slices.Clone(r.Rejected[:MaxRejections]), extra
	}
}

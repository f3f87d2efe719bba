package rules

import (
	"slices"
	"time"

	"firemode"
)

// Due returns the checks that are due on a thing of type t in a visit at frequency f, in the type's
// order, each with the rule version in force at the time at. A higher frequency includes the lower
// ones; a rule that b does not have in force then is left out. A thing without a due check is no
// item.
func Due(t AssetType, f firemode.Frequency, b *Set, at time.Time) []firemode.Check {
	var due []firemode.Check
	for _, code := range t.Rules {
		r, ok := b.InForceAt(code, at)
		if ok && slices.ContainsFunc(r.Frequencies, f.Includes) {
			due = append(due, firemode.Check{Rule: r.Code, Version: r.Version})
		}
	}
	return due
}

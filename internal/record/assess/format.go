// Package assess derives what the record of a visit means: which paths an item is assessed by, how
// far its record is, what was found, and the class of each finding. It is pure: equal inputs give
// equal outputs.
//
// A session has a format for its whole life, and its log is always derived by the functions of that
// format, which DerivationOf returns. A change of what follows from a log is therefore a new format
// with functions of its own, never a change of an old one. The tests under testdata hold each
// format to what it has always derived.
package assess

import (
	"fmt"
	"time"

	"firemode"
	"firemode/internal/record/crdt"
	"firemode/internal/rules"
)

// Derivation is the functions that derive everything that follows from a session's log. They are
// pure and may be called concurrently.
type Derivation struct {
	// EffectiveTime returns the time by which a change is ranked, in microseconds since the epoch,
	// and the flag of a time that was not taken as it came, "" for none. captured and sent are by
	// the device's clock, received by the server's; captured and sent may be zero.
	EffectiveTime func(captured, sent, received time.Time) (at int64, flag string)
	// Flags returns what is remarkable about an operation in a session that lists item; item is nil
	// for one that the session does not list.
	Flags func(op crdt.Op, item *firemode.Item) []string
	// Rules returns the lookup by which an item is assessed. It finds the version that is pinned to
	// the item's check, else the version that was in force when the session was made.
	Rules func(all *rules.Set, item *firemode.Item, session firemode.Session) RuleLookup
	// Basis returns the paths that an item is assessed by: what is recorded at them and below, and
	// nothing else, decides its state and findings. item is nil for one that the session does not
	// list.
	Basis func(id firemode.ItemID, item *firemode.Item, rule RuleLookup) []crdt.Pointer
	// Read returns what the document says about one item.
	Read func(st *crdt.State, id firemode.ItemID, rule RuleLookup, checks []firemode.Check) Record
	// Assess returns how far the record of a listed item is, and what is missing, in words.
	// disputed says that a conflict is open at the item or below it.
	Assess func(r Record, checks []firemode.Check, disputed bool) (state firemode.ItemState, missing []string)
	// Classify returns the class of a finding. Its At and Audit are zero: they belong to the
	// transaction.
	Classify func(Finding) firemode.Classification
	// LastResult returns what the next visit is shown of an item. Its Session and CompletedAt are
	// zero.
	LastResult func(st *crdt.State, id firemode.ItemID) firemode.LastResult
}

// RuleLookup finds the version of a rule by which an item is assessed; ok is false for an unknown
// rule.
type RuleLookup = func(code firemode.RuleCode) (rule firemode.Rule, ok bool)

// format1 is the format of every session made before sessions had a format.
const format1 = 1

// derivation is the table from format to functions. The format of new sessions is
// firemode.CurrentFormat.
func derivation(format int) (d Derivation, known bool) {
	switch format {
	case format1:
		return Derivation{
			EffectiveTime: effectiveTime,
			Flags:         flags,
			Rules:         pinnedRules,
			Basis:         basis,
			Read:          read,
			Assess:        Record.assess,
			Classify:      classify,
			LastResult:    lastResult,
		}, true
	default:
		return Derivation{}, false
	}
}

// CheckFormat returns an error unless this binary can derive logs of the format.
func CheckFormat(format int) error {
	if _, known := derivation(format); !known {
		return fmt.Errorf("session format %d is unknown to this binary, which knows formats %d to %d",
			format, format1, firemode.CurrentFormat)
	}
	return nil
}

// DerivationOf returns the functions of a format that CheckFormat accepts. For any other format
// they are nil.
func DerivationOf(format int) Derivation {
	d, _ := derivation(format)
	return d
}

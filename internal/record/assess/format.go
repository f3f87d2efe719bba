package assess

import (
	"fmt"
	"time"

	"firemode"
	"firemode/internal/record/crdt"
)

// Derivation is the functions by which everything that follows from a session's log is derived. A session has a
// format for its whole life, and its log is derived by that format for ever: a change of what follows from a log is
// a new format with functions of its own, never a change of these.
type Derivation struct {
	// EffectiveTime ranks a change: see EffectiveTime.
	EffectiveTime func(captured, sent, received time.Time) (at int64, flag string)
	// Flags says what is remarkable about an operation: see FlagsOf.
	Flags func(crdt.Op, *firemode.Item) []string
	// Basis returns the paths that an item is assessed by: see Basis.
	Basis func(firemode.ItemID, *firemode.Item, RuleLookup) []crdt.Pointer
	// Read takes apart what is recorded of an item: see Read.
	Read func(*crdt.State, firemode.ItemID, RuleLookup, []firemode.Check) Record
	// Assess says how far the record of an item is: see Record.Assess.
	Assess func(r Record, checks []firemode.Check, disputed bool) (firemode.ItemState, []string)
	// Classify applies a rule to a finding: see Classify.
	Classify func(Finding) firemode.Classification
}

// RuleLookup finds the version of a rule by which an item is assessed.
type RuleLookup = func(firemode.RuleCode) (firemode.Rule, bool)

// FirstFormat is the format of every session that was made before sessions had one.
const FirstFormat = 1

// NewestFormat is the format of new sessions.
const NewestFormat = FirstFormat

// derivations is the table of formats.
func derivations() map[int]Derivation {
	return map[int]Derivation{
		FirstFormat: {
			EffectiveTime: EffectiveTime, Flags: FlagsOf, Basis: Basis, Read: Read, Assess: Record.Assess, Classify: Classify,
		},
	}
}

// KnownFormat is an error unless this binary can derive logs of the format.
func KnownFormat(format int) error {
	if _, known := derivations()[format]; !known {
		return fmt.Errorf("session format %d is unknown to this binary, which knows formats %d to %d", format, FirstFormat, NewestFormat)
	}
	return nil
}

// DerivationOf returns the functions of a format; of one that KnownFormat refuses, none.
func DerivationOf(format int) Derivation { return derivations()[format] }

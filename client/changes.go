package client

import (
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Op is the operation of a change.
type Op string

// The operations. See docs/sync.md for their meaning when writers disagree.
const (
	OpSet       Op = "set"
	OpRemove    Op = "remove"
	OpAppend    Op = "append"
	OpIncrement Op = "increment"
	OpResolve   Op = "resolve"
	OpCorrect   Op = "correct"
)

// Change is one change of the results of a session. Set, Remove, Append, Increment, Resolve and
// Correct make one.
type Change struct {
	Op         Op             `json:"op"`
	Path       Pointer        `json:"path"`
	Value      jsontext.Value `json:"value,omitzero"`
	Delta      jsontext.Value `json:"delta,omitzero"` // of OpIncrement
	ConflictID string         `json:"conflict_id,omitzero"`
	Dots       []string       `json:"dots,omitzero"` // of OpResolve: the readings that it settles
	Dot        string         `json:"dot,omitzero"`  // of OpCorrect: the reading that it replaces
	Reason     string         `json:"reason,omitzero"`
	CapturedAt time.Time      `json:"captured_at,omitzero"` // zero: when the batch was recorded
	Instrument *Instrument    `json:"instrument,omitzero"`
	Source     string         `json:"source,omitzero"` // how the value was entered, e.g. "typed"
}

// Instrument is what took a reading.
type Instrument struct {
	ID              string `json:"id"`
	CalibratedUntil string `json:"calibrated_until,omitzero"` // a date, "2006-01-02"
}

// Text returns s as a JSON string. Bytes that are not UTF-8 are replaced by U+FFFD.
func Text(s string) jsontext.Value {
	quoted, _ := jsontext.AppendQuote(nil, s) // the error reports the replacement
	return quoted
}

// Set records a value at p. It supersedes what the writer has seen at p and below.
func Set(p Pointer, value jsontext.Value) Change {
	return Change{Op: OpSet, Path: p, Value: value}
}

// Remove deletes what the writer has seen at p and below.
func Remove(p Pointer) Change { return Change{Op: OpRemove, Path: p} }

// Append adds an entry to the collection at p. Entries of several writers never collide.
func Append(p Pointer, value jsontext.Value) Change {
	return Change{Op: OpAppend, Path: p, Value: value}
}

// Increment adds delta, a JSON number, to the number at p. Increments of several writers add up.
func Increment(p Pointer, delta jsontext.Value) Change {
	return Change{Op: OpIncrement, Path: p, Delta: delta}
}

// Resolve settles a conflict, as it was shown, with value. A nil value settles that nothing is
// there.
func Resolve(c Conflict, value jsontext.Value, reason string) Change {
	settled := Change{Op: OpResolve, Path: c.Path, ConflictID: c.ID, Value: value, Reason: reason}
	for _, s := range c.Values {
		settled.Dots = append(settled.Dots, s.Dot)
	}
	return settled
}

// Correct replaces one reading at p, named by its dot. The history keeps the link between the two.
func Correct(p Pointer, dot string, value jsontext.Value, reason string) Change {
	return Change{Op: OpCorrect, Path: p, Dot: dot, Value: value, Reason: reason}
}

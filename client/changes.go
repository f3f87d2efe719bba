package client

import (
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"firemode"
	"firemode/internal/record/crdt"
)

// Change is one change of results. See docs/sync.md for the operations.
type Change struct {
	Op         crdt.Kind      `json:"op"`
	Path       crdt.Pointer   `json:"path"`
	Value      jsontext.Value `json:"value,omitzero"`
	Delta      jsontext.Value `json:"delta,omitzero"` // of increment
	ConflictID string         `json:"conflict_id,omitzero"`
	Dots       []string       `json:"dots,omitzero"` // of resolve
	Dot        string         `json:"dot,omitzero"`  // of correct
	Reason     string         `json:"reason,omitzero"`
	CapturedAt time.Time      `json:"captured_at,omitzero"`
	Instrument *Instrument    `json:"instrument,omitzero"`
	Source     string         `json:"source,omitzero"` // e.g. "typed"
}

// Instrument is what a reading was taken with.
type Instrument struct {
	ID              string `json:"id"`
	CalibratedUntil string `json:"calibrated_until,omitzero"` // a date
}

// ItemPath is the path of a result: of the item itself, or of what the names below it lead to.
func ItemPath(item firemode.ItemID, below ...string) crdt.Pointer {
	p := crdt.Pointer("/items").Child(string(item))
	for _, name := range below {
		p = p.Child(name)
	}
	return p
}

// Text is s as a value.
func Text(s string) jsontext.Value {
	quoted, _ := jsontext.AppendQuote(nil, s) // what is not UTF-8 is mended
	return quoted
}

// Set records a value, in place of what the writer has seen there and below.
func Set(p crdt.Pointer, value jsontext.Value) Change {
	return Change{Op: crdt.Set, Path: p, Value: value}
}

// Remove takes away what the writer has seen at p and below.
func Remove(p crdt.Pointer) Change { return Change{Op: crdt.Remove, Path: p} }

// Append adds an entry to the collection at p.
func Append(p crdt.Pointer, value jsontext.Value) Change {
	return Change{Op: crdt.Append, Path: p, Value: value}
}

// Increment adds delta, a number, to the one at p.
func Increment(p crdt.Pointer, delta jsontext.Value) Change {
	return Change{Op: crdt.Increment, Path: p, Delta: delta}
}

// Resolve settles a conflict, as it was shown, with value; nil settles that there is none.
func Resolve(c Conflict, value jsontext.Value, reason string) Change {
	settled := Change{Op: crdt.Resolve, Path: c.Path, ConflictID: c.ID, Value: value, Reason: reason}
	for _, s := range c.Values {
		settled.Dots = append(settled.Dots, s.Dot)
	}
	return settled
}

// Correct replaces one reading, keeping the link to it.
func Correct(p crdt.Pointer, dot string, value jsontext.Value, reason string) Change {
	return Change{Op: crdt.Correct, Path: p, Dot: dot, Value: value, Reason: reason}
}

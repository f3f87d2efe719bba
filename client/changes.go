package client

import (
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"firemode"
	"firemode/internal/record/crdt"
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

// Pointer is the path of a value in the document of a session: a JSON Pointer (RFC 6901) such as
// "/items/FE-001/outcome". It never names the root. The server rejects a change whose path is
// longer than 512 bytes or 16 segments.
type Pointer string

// ItemPath returns the path of the result of an item or, with names, of a value below it.
func ItemPath(item firemode.ItemID, names ...string) Pointer {
	p := Pointer("/items").Child(string(item))
	for _, name := range names {
		p = p.Child(name)
	}
	return p
}

// Child returns the path of the member name below p. It escapes the name.
func (p Pointer) Child(name string) Pointer { return Pointer(crdt.Pointer(p).Child(name)) }

// Contains reports whether q is p or lies below it.
func (p Pointer) Contains(q Pointer) bool { return crdt.Pointer(p).Holds(crdt.Pointer(q)) }

// segments returns the escaped segments of p from the root down.
func (p Pointer) segments() []string { return crdt.Pointer(p).Segments() }

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

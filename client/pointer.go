package client

import (
	"firemode"
	"firemode/internal/record/crdt"
)

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

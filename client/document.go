package client

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"firemode/internal/record/crdt"
)

// Document is a merged document as a client holds it: a tree whose leaves are values. The zero value is empty. Written as JSON it is
// byte for byte what the server writes for the same content.
type Document struct {
	root node
}

type node struct {
	value    jsontext.Value   // of a leaf
	children map[string]*node // by escaped segment
}

// Get returns the value at p, or the object of everything below it; ok is false when there is nothing.
func (d *Document) Get(p crdt.Pointer) (v jsontext.Value, ok bool) {
	n := &d.root
	for _, segment := range p.Segments() {
		if n = n.children[segment]; n == nil {
			return nil, false
		}
	}
	return n.append(nil), true
}

// Put puts a value at p in place of what is there, below it, or a value above it.
func (d *Document) Put(p crdt.Pointer, v jsontext.Value) {
	n := &d.root
	for _, segment := range p.Segments() {
		n.value = nil
		if n.children == nil {
			n.children = map[string]*node{}
		}
		if n.children[segment] == nil {
			n.children[segment] = &node{}
		}
		n = n.children[segment]
	}
	n.value, n.children = v, nil
}

// Delete takes away what is at p and below it.
func (d *Document) Delete(p crdt.Pointer) { d.root.remove(p.Segments()) }

// remove takes away what the segments lead to, and the nodes that hold nothing else.
func (n *node) remove(segments []string) {
	child := n.children[segments[0]]
	if child == nil {
		return
	}
	if len(segments) > 1 {
		child.remove(segments[1:])
		if child.value != nil || len(child.children) > 0 {
			return
		}
	}
	delete(n.children, segments[0])
}

// Leaves calls fn for each value, in the order in which they are written.
func (d *Document) Leaves(fn func(crdt.Pointer, jsontext.Value)) { d.root.leaves("", fn) }

func (n *node) leaves(at crdt.Pointer, fn func(crdt.Pointer, jsontext.Value)) {
	if n.value != nil {
		fn(at, n.value)
	}
	for _, segment := range slices.Sorted(maps.Keys(n.children)) {
		n.children[segment].leaves(at+"/"+crdt.Pointer(segment), fn)
	}
}

// MarshalJSON writes the document with members in order of their escaped names.
func (d Document) MarshalJSON() ([]byte, error) { return d.root.append(nil), nil }

func (n *node) append(out []byte) []byte {
	if n.value != nil {
		return append(out, n.value...)
	}
	out = append(out, '{')
	for i, segment := range slices.Sorted(maps.Keys(n.children)) {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(append(out, Text(crdt.Unescape(segment))...), ':')
		out = n.children[segment].append(out)
	}
	return append(out, '}')
}

// UnmarshalJSON replaces the document.
func (d *Document) UnmarshalJSON(text []byte) error {
	read, err := readDocument(text)
	if err == nil {
		*d = read
	}
	return err
}

// readDocument reads a document. Its objects are inner nodes, for a register never holds one.
func readDocument(text []byte) (d Document, err error) {
	if jsontext.Value(text).Kind() != '{' {
		return d, errors.New("client: the document is not an object")
	}
	err = d.root.read(text)
	return d, err
}

func (n *node) read(text jsontext.Value) error {
	if text.Kind() != '{' {
		n.value = slices.Clone(text)
		return nil
	}
	members, err := membersOf(text)
	if err != nil {
		return err
	}
	n.children = make(map[string]*node, len(members))
	for name, value := range members {
		child := &node{}
		if err := child.read(value); err != nil {
			return err
		}
		n.children[string(crdt.Pointer("").Child(name)[1:])] = child
	}
	return nil
}

func membersOf(object jsontext.Value) (members map[string]jsontext.Value, err error) {
	if err = json.Unmarshal(object, &members); err != nil {
		err = fmt.Errorf("client: document: %w", err)
	}
	return members, err
}

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

// Document is a merged document as a client holds it: a tree whose leaves are JSON values. The zero
// value is empty. Its JSON is byte for byte what the server writes for the same content.
type Document struct {
	root node
}

type node struct {
	value    jsontext.Value   // of a leaf
	children map[string]*node // by escaped segment
}

// Get returns the value at p, or the object of everything below p; ok is false if there is neither.
func (d *Document) Get(p Pointer) (v jsontext.Value, ok bool) {
	n := &d.root
	for _, segment := range p.segments() {
		if n = n.children[segment]; n == nil {
			return nil, false
		}
	}
	return n.append(nil), true
}

// Put stores a value at p. It replaces what is at p and below, and a value above p.
func (d *Document) Put(p Pointer, v jsontext.Value) {
	n := &d.root
	for _, segment := range p.segments() {
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

// remove deletes what is at p and below.
func (d *Document) remove(p Pointer) { d.root.remove(p.segments()) }

// remove deletes what the segments lead to, and every node that becomes empty.
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

// leaf is a value and where it is.
type leaf struct {
	path  Pointer
	value jsontext.Value
}

// leaves returns every value, in the order in which MarshalJSON writes them.
func (d *Document) leaves() []leaf { return d.root.leaves("", nil) }

func (n *node) leaves(at Pointer, found []leaf) []leaf {
	if n.value != nil {
		found = append(found, leaf{at, n.value})
	}
	for _, segment := range slices.Sorted(maps.Keys(n.children)) {
		found = n.children[segment].leaves(at+"/"+Pointer(segment), found)
	}
	return found
}

// MarshalJSON returns the document with its members in the order of their escaped names.
func (d Document) MarshalJSON() ([]byte, error) { return d.root.append(nil), nil }

// append appends n as JSON to out.
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

// UnmarshalJSON replaces the document with text, a JSON object.
func (d *Document) UnmarshalJSON(text []byte) error {
	read, err := readDocument(text)
	if err == nil {
		*d = read
	}
	return err
}

// readDocument reads a document. An object in it is always an inner node, since no value of a
// document is an object.
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
	var members map[string]jsontext.Value
	if err := json.Unmarshal(text, &members); err != nil {
		return fmt.Errorf("client: document: %w", err)
	}
	n.children = make(map[string]*node, len(members))
	for name, value := range members {
		child := &node{}
		if err := child.read(value); err != nil {
			return err
		}
		n.children[string(Pointer("").Child(name)[1:])] = child
	}
	return nil
}

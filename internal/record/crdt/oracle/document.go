package oracle

import (
	"math/big"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"firemode/internal/record/crdt"
)

// Shown returns the value that the document has at p, "" when it has none there: because nothing is
// live there, what is live is a removal, or what is below shows in its place. What is above p is
// not asked.
func (s State) Shown(p crdt.Pointer) crdt.Value {
	at := s.At(p)
	if len(only(at, func(op *crdt.Op) bool { return !isRemoval(op) })) == 0 {
		return ""
	}
	lead := greatest(at)
	for _, child := range s.where(func(op *crdt.Op) bool { return below(p, op.Path) && !isRemoval(op) }) {
		if s.saw(child, lead) || compare(child, lead) > 0 {
			return ""
		}
	}
	return total(at)
}

// total is the greatest value at a path, none counting as 0, with the increments added to it. To a
// value that is not a number nothing can be added.
func total(at []*crdt.Op) crdt.Value {
	increments := only(at, isIncrement)
	sum := new(big.Rat)
	if set := greatest(only(at, isValue)); set != nil {
		number := rational(set.Value)
		if number == nil || len(increments) == 0 {
			return set.Value
		}
		sum.Set(number)
	}
	for _, op := range increments {
		sum.Add(sum, rational(op.Value))
	}
	return crdt.Value(decimal(sum))
}

// Document returns the merged document as JSON text, members by the bytes of their escaped names.
func (s State) Document() string {
	if text := s.members(""); text != "" {
		return text
	}
	return "{}"
}

// node writes what shows at p, "" for nothing.
func (s State) node(p crdt.Pointer) string {
	if v := s.Shown(p); v != "" {
		return string(v)
	}
	return s.members(p)
}

func (s State) members(p crdt.Pointer) string {
	var members []string
	for _, name := range s.names(p) {
		if text := s.node(p + "/" + crdt.Pointer(name)); text != "" {
			members = append(members, quoted(name)+":"+text)
		}
	}
	if len(members) == 0 {
		return ""
	}
	return "{" + strings.Join(members, ",") + "}"
}

// names returns the escaped names of what is directly below p, in order.
func (s State) names(p crdt.Pointer) []string {
	var names []string
	for _, op := range s.where(func(op *crdt.Op) bool { return below(p, op.Path) }) {
		name, _, _ := strings.Cut(string(op.Path[len(p)+1:]), "/")
		names = append(names, name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// quoted writes an escaped segment as the name of a member.
func quoted(segment string) string {
	name := strings.ReplaceAll(strings.ReplaceAll(segment, "~1", "/"), "~0", "~")
	text, err := jsontext.AppendQuote(nil, name)
	if err != nil {
		return `""` // not reached: paths are valid UTF-8
	}
	return string(text)
}

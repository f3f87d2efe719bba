package crdt

import (
	"bytes"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"firemode/internal/decimal"
)

// Shown returns the value that the document has at p itself; ok is false when p is absent or has
// children instead.
func (s *State) Shown(p Pointer) (v Value, ok bool) {
	n := s.find(p)
	if n == nil {
		return "", false
	}
	v = s.shown(n)
	return v, v != ""
}

// Reading is a path with the value that is shown there.
type Reading struct {
	Path  Pointer
	Value Value
}

// Readings returns what the document shows at p and below, in order of path.
func (s *State) Readings(p Pointer) []Reading {
	n := s.find(p)
	if n == nil {
		return nil
	}
	return s.readings(n, nil)
}

func (s *State) readings(n *node, into []Reading) []Reading {
	if v := s.shown(n); v != "" {
		return append(into, Reading{n.path, v})
	}
	for _, segment := range n.segments() {
		into = s.readings(n.children[segment], into)
	}
	return into
}

// Live returns the operations that are live at p, greatest first.
func (s *State) Live(p Pointer) []*Op {
	n := s.find(p)
	if n == nil {
		return nil
	}
	live := slices.Clone(n.live)
	slices.SortFunc(live, func(a, b *Op) int { return b.compare(a) })
	return live
}

// EachLive calls fn for every live operation at p and below, by path, greatest first.
func (s *State) EachLive(p Pointer, fn func(*Op)) {
	if top := s.find(p); top != nil {
		top.each(func(n *node) {
			for _, op := range s.Live(n.path) {
				fn(op)
			}
		})
	}
}

// shown returns the value at n, "" when it is absent or when children show instead. A value above
// children shows only if no value below has seen it and none ranks higher.
func (s *State) shown(n *node) Value {
	top := greatest(n.live)
	if top == nil || top.removal() {
		return ""
	}
	for _, segment := range n.segments() {
		if s.shadows(n.children[segment], top) {
			return ""
		}
	}
	return s.total(n.live)
}

// shadows reports whether a value at n or below shows instead of top, which is above it.
func (s *State) shadows(n *node, top *Op) bool {
	if slices.ContainsFunc(n.live, func(op *Op) bool { return s.hides(op, top) }) {
		return true
	}
	for _, child := range n.children {
		if s.shadows(child, top) {
			return true
		}
	}
	return false
}

// hides reports whether op, which is below top, shows instead of it.
func (s *State) hides(op, top *Op) bool {
	return !op.removal() && (s.sees(op, top) || op.compare(top) > 0)
}

// greatest returns the op that ranks highest, nil for none.
func greatest(live []*Op) *Op {
	if len(live) == 0 {
		return nil
	}
	return slices.MaxFunc(live, func(a, b *Op) int { return a.compare(b) })
}

// total is the greatest set value, plus the live increments where it is a number. With increments
// alone it is their sum.
func (s *State) total(live []*Op) Value {
	var base *Op
	var terms []Value
	for _, op := range live {
		switch {
		case op.removal():
		case op.Kind == Increment:
			terms = append(terms, op.Value)
		case base == nil || op.compare(base) > 0:
			base = op
		}
	}
	switch {
	case base == nil:
		return sum(terms)
	case len(terms) == 0 || !base.Value.IsNumber():
		return base.Value
	default:
		return sum(append(terms, base.Value))
	}
}

// sum adds numbers exactly.
func sum(numbers []Value) Value {
	terms := make([]decimal.Decimal, 0, len(numbers))
	for _, v := range numbers {
		if d, err := decimal.Parse(string(v)); err == nil { // checked when the value was accepted
			terms = append(terms, d)
		}
	}
	return Value(decimal.Sum(terms))
}

// Document returns what is shown, as a JSON object with members in order of path: the same state
// gives the same bytes.
func (s *State) Document() []byte {
	var out bytes.Buffer
	s.WriteMembers(&out, "")
	return append(append([]byte{'{'}, out.Bytes()...), '}')
}

// WriteMembers writes the members of the object at p ("" for the root) that show something,
// separated by commas and without the braces, and reports whether there were any.
func (s *State) WriteMembers(out *bytes.Buffer, p Pointer) bool {
	n := &s.root
	if p != "" {
		if n = s.find(p); n == nil {
			return false
		}
	}
	return s.writeMembers(out, n)
}

func (s *State) writeMembers(out *bytes.Buffer, n *node) bool {
	wrote := false
	for _, segment := range n.segments() {
		child := n.children[segment]
		start := out.Len()
		if wrote {
			out.WriteByte(',')
		}
		name, _ := jsontext.AppendQuote(nil, Unescape(segment)) // valid UTF-8, see ParsePointer
		out.Write(name)
		out.WriteByte(':')
		if s.writeNode(out, child) {
			wrote = true
		} else {
			out.Truncate(start)
		}
	}
	return wrote
}

func (s *State) writeNode(out *bytes.Buffer, n *node) bool {
	if v := s.shown(n); v != "" {
		out.WriteString(string(v))
		return true
	}
	out.WriteByte('{')
	wrote := s.writeMembers(out, n)
	out.WriteByte('}')
	return wrote
}

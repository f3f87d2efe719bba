package crdt

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"slices"
)

// ConflictKind is what disagrees.
type ConflictKind string

// The kinds of conflict.
const (
	ConflictValue   ConflictKind = "value"   // different values, or a value and a concurrent increment
	ConflictRemoved ConflictKind = "removed" // a removal, and a value, increment or child that its writer had not seen
	ConflictShape   ConflictKind = "shape"   // a value above a child whose writer had not seen it
	ConflictType    ConflictKind = "type"    // increments of something that is not a number
)

// Conflict is a disagreement that a person must resolve. No sibling is lost; the document shows
// one.
type Conflict struct {
	ID       string
	Path     Pointer
	Kind     ConflictKind
	Siblings []*Op // the shown one first, then by rank
}

// Conflict returns the conflict at p; ok is false when there is none. key is the secret of the
// session.
func (s *State) Conflict(p Pointer, key []byte) (c Conflict, ok bool) {
	n := s.find(p)
	if n == nil {
		return c, false
	}
	return s.conflict(n, key)
}

func (s *State) conflict(n *node, key []byte) (Conflict, bool) {
	kind := s.kind(n)
	if kind == "" {
		return Conflict{}, false
	}
	siblings := append(slices.Clone(n.live), s.contenders(n)...)
	slices.SortFunc(siblings, func(a, b *Op) int { return cmp.Or(b.compare(a), cmpKey(a.Path, b.Path)) })
	return Conflict{ID: ConflictID(key, n.path, siblings), Path: n.path, Kind: kind, Siblings: siblings}, true
}

// Conflicts returns every conflict at p and below, in order of path.
func (s *State) Conflicts(p Pointer, key []byte) []Conflict {
	var all []Conflict
	if top := s.find(p); top != nil {
		top.each(func(n *node) {
			if c, ok := s.conflict(n, key); ok {
				all = append(all, c)
			}
		})
	}
	return all
}

// contested reports whether op, live at n, has not seen something live above it.
func (s *State) contested(n *node, op *Op) bool {
	for q := n.parent; q != nil; q = q.parent {
		for _, above := range q.live {
			if !s.sees(op, above) {
				return true
			}
		}
	}
	return false
}

// contenders returns what is live below n and has not seen everything live at n.
func (s *State) contenders(n *node) []*Op {
	if len(n.live) == 0 {
		return nil
	}
	var below []*Op
	for _, segment := range n.segments() {
		n.children[segment].each(func(c *node) {
			for _, op := range c.live {
				if op.Contested && slices.ContainsFunc(n.live, func(above *Op) bool { return !s.sees(op, above) }) {
					below = append(below, op)
				}
			}
		})
	}
	return below
}

// kind returns the kind of the conflict at n, "" for none.
func (s *State) kind(n *node) ConflictKind {
	if len(n.live) == 0 {
		return ""
	}
	if len(s.contenders(n)) > 0 {
		if slices.ContainsFunc(n.live, func(op *Op) bool { return !op.removal() }) {
			return ConflictShape
		}
		return ConflictRemoved
	}
	if len(n.live) == 1 {
		return ""
	}
	return s.sideBySide(n.live)
}

// sideBySide returns the kind of conflict among operations that are live at one path.
func (s *State) sideBySide(live []*Op) ConflictKind {
	var values, removals, increments []*Op
	for _, op := range live {
		switch {
		case op.removal():
			removals = append(removals, op)
		case op.Kind == Increment:
			increments = append(increments, op)
		default:
			values = append(values, op)
		}
	}
	for _, v := range values {
		if !v.Value.Equal(values[0].Value) {
			return ConflictValue
		}
	}
	if len(values) > 0 && len(increments) > 0 && !values[0].Value.IsNumber() {
		return ConflictType
	}
	if len(values) > 0 && len(removals) > 0 {
		return ConflictRemoved
	}
	unseen := func(olds []*Op) bool {
		return slices.ContainsFunc(increments, func(inc *Op) bool {
			return slices.ContainsFunc(olds, func(old *Op) bool { return !s.sees(inc, old) && !s.sees(old, inc) })
		})
	}
	if unseen(values) {
		return ConflictValue
	}
	if unseen(removals) {
		return ConflictRemoved
	}
	return ""
}

// ConflictID is an HMAC over the path and its siblings: only the server can make one, so that a
// resolve which carries it proves that its writer was shown these very siblings.
func ConflictID(key []byte, p Pointer, siblings []*Op) string {
	sorted := slices.Clone(siblings)
	sortOps(sorted)
	mac := hmac.New(sha256.New, key)
	var n [8]byte
	field := func(b []byte) {
		binary.BigEndian.PutUint64(n[:], uint64(len(b)))
		mac.Write(n[:])
		mac.Write(b)
	}
	field([]byte("firemode conflict v1"))
	field([]byte(p))
	for _, op := range sorted {
		field([]byte(op.Path))
		field([]byte(op.Dot.String()))
		hash := sha256.Sum256([]byte(string(op.Kind[:1]) + string(op.Value)))
		field(hash[:])
	}
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:18])
}

// cmpKey compares paths in the order of a walk down the tree.
func cmpKey(a, b Pointer) int { return cmp.Compare(a.Key(), b.Key()) }

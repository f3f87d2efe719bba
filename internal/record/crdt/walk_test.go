package crdt_test

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"firemode/internal/record/crdt"
)

// walked is what a walk over the live operations finds: the document, and the conflicts.
func (s *server) walked(live []crdt.Op) (string, []crdt.Conflict, error) {
	slices.SortFunc(live, func(a, b crdt.Op) int {
		return cmp.Or(cmp.Compare(a.Path.Key(), b.Path.Key()), a.Dot.Compare(b.Dot))
	})
	below := func(p crdt.Pointer, fn func(crdt.Op) error) error {
		for _, op := range slices.Backward(live) {
			if op.Path != p && p.Holds(op.Path) {
				if err := fn(op); err != nil {
					return err
				}
			}
		}
		return nil
	}
	var out bytes.Buffer
	var conflicts []crdt.Conflict
	document := crdt.NewComposer(&out)
	w := crdt.Walk{
		Chains: s.chains, Key: key, Below: below, Contested: below, Leaf: document.Leaf,
		Conflict: func(c crdt.Conflict) error { conflicts = append(conflicts, c); return nil },
	}
	for _, op := range live {
		op.Contested = false // a walk finds it out
		if err := w.Add(op); err != nil {
			return "", nil, err
		}
	}
	err := errors.Join(w.End(false), document.End())
	return out.String(), conflicts, err
}

// A walk finds what the state finds, in the same order, which agrees with the oracle.
func TestHistories_WalkMatchesState(t *testing.T) {
	check(t, 2_000, 300, func(t *rapid.T) {
		s := newServer(none)
		newPlay(s, func(b batch) { s.merge(b) }).run(scripts.Draw(t, "history"))
		var live []crdt.Op
		for _, op := range s.live() {
			live = append(live, *op)
		}
		document, conflicts, err := s.walked(live)
		if err != nil {
			t.Fatal(err)
		}
		if want := string(s.state.Document()); document != want {
			t.Fatalf("after\n%sdocument %s, want %s", s, document, want)
		}
		if got, want := summaries(conflicts), summaries(s.conflicts()); !reflect.DeepEqual(got, want) {
			t.Fatalf("after\n%sconflicts %q, want %q", s, got, want)
		}
	})
}

// summaries tell all about conflicts but for what is noted on the operations.
func summaries(conflicts []crdt.Conflict) []string {
	var all []string
	for _, c := range conflicts {
		text := fmt.Sprint(c.Path, " ", c.Kind, " ", c.ID)
		for _, op := range c.Siblings {
			text += fmt.Sprint(" ", op.Dot, op.Path, op.Value)
		}
		all = append(all, text)
	}
	return all
}

func TestWalkEndsAtTheFirstError(t *testing.T) {
	broken := errors.New("broken")
	fails := func(crdt.Pointer, func(crdt.Op) error) error { return broken }
	one := crdt.Op{Dot: crdt.Dot{Actor: "a", Batch: 1}, Path: "/a", Kind: crdt.Set, Value: "1"}
	below := crdt.Op{Dot: crdt.Dot{Actor: "b", Batch: 1}, Path: "/a/b", Kind: crdt.Set, Value: "1"}
	none := func(crdt.ActorID) crdt.Ranges { return nil }
	for name, w := range map[string]crdt.Walk{
		"what is below":         {Chains: none, Below: fails, Leaf: func(crdt.Reading) error { return nil }},
		"what may be contested": {Chains: none, Contested: fails, Conflict: func(crdt.Conflict) error { return nil }},
		"whoever takes the leafs": {
			Chains: none, Below: func(crdt.Pointer, func(crdt.Op) error) error { return nil },
			Leaf: func(crdt.Reading) error { return broken },
		},
	} {
		if err := w.Add(one); err != nil {
			t.Errorf("%s: %v at the first operation", name, err)
		}
		if err := w.Add(below); !errors.Is(err, broken) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestComposer(t *testing.T) {
	for want, leaves := range map[string][]crdt.Reading{
		`{}`:      nil,
		`{"a":1}`: {{Path: "/a", Value: "1"}},
		`{"":{"a":{"b":1,"c":{"d":2}},"e":3},"f~/\"":{"a":4}}`: {
			{Path: "//a/b", Value: "1"},
			{Path: "//a/c/d", Value: "2"},
			{Path: "//e", Value: "3"},
			{Path: "/f~0~1\"/a", Value: "4"},
		},
	} {
		var out bytes.Buffer
		c := crdt.NewComposer(&out)
		for _, r := range leaves {
			if err := c.Leaf(r); err != nil {
				t.Fatal(err)
			}
		}
		if err := c.End(); err != nil || out.String() != want {
			t.Errorf("%s, %v, want %s", out.String(), err, want)
		}
	}
}

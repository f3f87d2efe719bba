package crdt_test

import (
	"slices"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"firemode/internal/record/crdt"
)

// act is a step of a case: a post of actor, or, without a number, its pull.
type act struct {
	actor   crdt.ActorID
	number  int64
	clock   crdt.Clock // as posted
	changes []string
	time    int64
}

func pulls(actor crdt.ActorID) act { return act{actor: actor} }

func posts(actor crdt.ActorID, number int64, changes ...string) act {
	return act{actor: actor, number: number, changes: changes}
}

// claiming says what the post claims to have seen of the others.
func (a act) claiming(clock crdt.Clock) act { a.clock = clock; return a }

func (a act) at(time int64) act { a.time = time; return a }

// do carries out a step and compares with the oracle.
func (s *server) do(t *testing.T, a act) crdt.Merged {
	t.Helper()
	if a.number == 0 {
		s.delivered[a.actor] = len(s.log)
		return crdt.Merged{}
	}
	b := crdt.Batch{Actor: a.actor, Number: a.number, Foreign: s.clamp(a.clock, a.actor), Changes: parsed(t, a.changes...)}
	logged := batch{actor: a.actor, number: a.number, foreign: b.Foreign}
	for i := range b.Changes {
		logged.ops = append(logged.ops, b.Ops(i, crdt.Stamp{Time: a.time})...)
	}
	before := s.truth()
	m := s.merge(logged)
	after := s.truth()
	if err := firstOf(s.compareState(after), compareReport(logged, m, before, after)); err != nil {
		t.Errorf("after\n%s%v", s, err)
	}
	return m
}

// parsed reads changes that must all be valid.
func parsed(t *testing.T, texts ...string) []crdt.Change {
	t.Helper()
	raw := make([]jsontext.Value, len(texts))
	for i, text := range texts {
		raw[i] = jsontext.Value(text)
	}
	changes, err := crdt.ParseChanges(raw)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range changes {
		if c.Rejected != "" {
			t.Fatalf("%s: %s", c.Text, c.Rejected)
		}
	}
	return changes
}

const (
	setA1     = `{"op":"set","path":"/a","value":1}`
	setA2     = `{"op":"set","path":"/a","value":2}`
	setA3     = `{"op":"set","path":"/a","value":3}`
	setB1     = `{"op":"set","path":"/a/b","value":1}`
	setB2     = `{"op":"set","path":"/a/b","value":2}`
	add1      = `{"op":"increment","path":"/a","delta":1}`
	removeA   = `{"op":"remove","path":"/a"}`
	settleTo1 = `{"op":"resolve","path":"/a","value":1,"conflict_id":"c","dots":["A:1:0","B:1:0"],"reason":"seen on site"}`
	settleTo2 = `{"op":"resolve","path":"/a","value":2,"conflict_id":"c","dots":["A:1:0","B:1:0"],"reason":"seen on site"}`
	absent    = `{"op":"resolve","path":"/a","conflict_id":"c","dots":["A:1:0","B:1:0"],"reason":"no such thing"}`
	correctA1 = `{"op":"correct","path":"/a","value":3,"dot":"A:1:0","reason":"misread"}`
)

// Cases that broke earlier drafts of the merge, and cases that say what a word in its definition means.
func TestCases(t *testing.T) {
	for _, c := range []struct {
		name      string
		acts      []act
		document  string
		conflicts []string
	}{
		{
			"set 10 then increment 1 by one writer",
			[]act{posts("A", 1, `{"op":"set","path":"/a","value":10}`, add1)},
			`{"a":11}`, nil,
		},
		{
			"an increment beside a concurrent set is added, and flagged",
			[]act{posts("A", 1, `{"op":"set","path":"/a","value":10}`), posts("B", 1, add1)},
			`{"a":11}`,
			[]string{"/a value of [A:1:0 /a, B:1:0 /a]"},
		},
		{
			"an increment that has seen the set is no conflict",
			[]act{posts("A", 1, `{"op":"set","path":"/a","value":10}`), pulls("B"), posts("B", 1, add1).claiming(crdt.Clock{"A": 1})},
			`{"a":11}`, nil,
		},
		{
			"an increment beside a removal starts from 0",
			[]act{posts("A", 1, removeA), posts("B", 1, add1)},
			`{"a":1}`,
			[]string{"/a removed of [A:1:0 /a, B:1:0 /a]"},
		},
		{
			"nothing can be added to text",
			[]act{posts("A", 1, `{"op":"set","path":"/a","value":"low"}`, add1)},
			`{"a":"low"}`,
			[]string{"/a type of [A:1:0 /a, A:1:1 /a]"},
		},
		{
			"increments sum exactly",
			[]act{
				posts("A", 1, `{"op":"increment","path":"/a","delta":0.1}`), posts("B", 1, `{"op":"increment","path":"/a","delta":0.2}`),
				posts("C", 1, `{"op":"increment","path":"/a","delta":1e-30}`),
			},
			`{"a":0.300000000000000000000000000001}`, nil,
		},
		{
			"equal values agree, however they are written",
			[]act{posts("A", 1, `{"op":"set","path":"/a","value":12.5}`), posts("B", 1, `{"op":"set","path":"/a","value":12.50}`)},
			`{"a":12.50}`, nil,
		},
		{
			"remove a parent, then set its child",
			[]act{posts("A", 1, setB1), posts("A", 2, removeA, setB2)},
			`{"a":{"b":2}}`, nil,
		},
		{
			"remove a parent beside a child that did not know",
			[]act{posts("A", 1, removeA), posts("B", 1, setB2)},
			`{"a":{"b":2}}`,
			[]string{"/a removed of [A:1:0 /a, B:1:0 /a/b]"},
		},
		{
			"a value beside children, the value later",
			[]act{posts("A", 1, setB1).at(1), posts("B", 1, setA2).at(2)},
			`{"a":2}`,
			[]string{"/a shape of [A:1:0 /a/b, B:1:0 /a]"},
		},
		{
			"a value beside children, a child later",
			[]act{posts("A", 1, setB1).at(2), posts("B", 1, setA2).at(1)},
			`{"a":{"b":1}}`,
			[]string{"/a shape of [A:1:0 /a/b, B:1:0 /a]"},
		},
		{
			"a child that has seen the value above it shows, even if its clock is slow",
			[]act{posts("A", 1, setA1).at(9), pulls("B"), posts("B", 1, setB2).claiming(crdt.Clock{"A": 1}).at(1)},
			`{"a":{"b":2}}`, nil,
		},
		{
			"objects merge, arrays do not",
			[]act{
				posts("A", 1, `{"op":"set","path":"/a","value":{"x":1,"l":[1]}}`),
				posts("B", 1, `{"op":"set","path":"/a","value":{"y":2,"l":[2]}}`),
			},
			`{"a":{"l":[2],"x":1,"y":2}}`,
			[]string{"/a/l value of [A:1:0 /a/l, B:1:0 /a/l]"},
		},
		{
			"a correct that arrives before the reading of its own writer",
			[]act{posts("A", 2, correctA1), posts("A", 1, setA1)},
			`{"a":3}`, nil,
		},
		{
			"a correct reaches across a hole that stays open",
			[]act{posts("A", 3, correctA1), posts("A", 1, setA1)},
			`{"a":3}`, nil,
		},
		{
			"a correct of one reading lets its increments be",
			[]act{posts("A", 1, setA1, add1), posts("A", 2, correctA1)},
			`{"a":4}`, nil,
		},
		{
			"one value in two paths in conflict at once",
			[]act{
				posts("A", 1, setA1, `{"op":"set","path":"/e","value":1}`),
				posts("B", 1, setA2, `{"op":"set","path":"/e","value":2}`),
			},
			`{"a":2,"e":2}`,
			[]string{"/a value of [A:1:0 /a, B:1:0 /a]", "/e value of [A:1:1 /e, B:1:1 /e]"},
		},
		{
			"batch 3 before batch 2 with a reader in between",
			[]act{
				posts("A", 1, setA1), posts("A", 3, setA3), pulls("B"),
				posts("B", 1, setA2).claiming(crdt.Clock{"A": 3}), posts("A", 2, setB1),
			},
			`{"a":3}`,
			[]string{"/a value of [A:3:0 /a, B:1:0 /a]"},
		},
		{
			"a hole hides nothing: what is above it has not seen what is below",
			[]act{posts("A", 1, setA1), posts("A", 3, removeA)},
			`{"a":1}`,
			[]string{"/a removed of [A:1:0 /a, A:3:0 /a]"},
		},
		{
			"a batch without changes closes a hole",
			[]act{posts("A", 1, setA1), posts("A", 3, setA2), posts("A", 2)},
			`{"a":2}`, nil,
		},
		{
			"a hole that is closed elsewhere ends the conflict of a child with the value above it",
			[]act{posts("A", 1, setA1), posts("A", 3, setB2), posts("A", 2, `{"op":"set","path":"/e","value":1}`)},
			`{"a":{"b":2},"e":1}`, nil,
		},
		{
			"a hole that is closed elsewhere ends the conflict of an increment with the set below it",
			[]act{posts("A", 1, setA1), posts("A", 3, add1), posts("A", 2, `{"op":"set","path":"/e","value":1}`)},
			`{"a":2,"e":1}`, nil,
		},
		{
			"a forged clock takes nothing away",
			[]act{posts("A", 1, setA1), posts("B", 1, removeA).claiming(crdt.Clock{"A": 99})},
			`{"a":1}`,
			[]string{"/a removed of [A:1:0 /a, B:1:0 /a]"},
		},
		{
			"two resolutions at once",
			[]act{posts("A", 1, setA1), posts("B", 1, setA2), posts("C", 1, settleTo1), posts("D", 1, settleTo2)},
			`{"a":2}`,
			[]string{"/a value of [C:1:0 /a, D:1:0 /a]"},
		},
		{
			"two equal resolutions at once agree",
			[]act{posts("A", 1, setA1), posts("B", 1, setA2), posts("C", 1, settleTo1), posts("D", 1, settleTo1)},
			`{"a":1}`, nil,
		},
		{
			"a reading that a resolve did not name stays",
			[]act{posts("A", 1, setA1), posts("B", 1, setA2), posts("C", 1, setA3), posts("D", 1, settleTo1)},
			`{"a":1}`,
			[]string{"/a value of [C:1:0 /a, D:1:0 /a]"},
		},
		{
			"absent is an answer that conflicts with nothing",
			[]act{posts("A", 1, setA1), posts("B", 1, setA2), posts("C", 1, absent), posts("D", 1, setA3)},
			`{"a":3}`, nil,
		},
		{
			"what is appended is never in conflict",
			[]act{posts("A", 1, `{"op":"append","path":"/l","value":"x"}`), posts("B", 1, `{"op":"append","path":"/l","value":"x"}`)},
			`{"l":{"A:1:0":"x","B:1:0":"x"}}`, nil,
		},
		{
			"an append is a set of its child: the writer had seen what it had put there by name",
			[]act{posts("A", 1, `{"op":"set","path":"/l/A:2:0","value":"x"}`), posts("A", 2, `{"op":"append","path":"/l","value":"y"}`)},
			`{"l":{"A:2:0":"y"}}`, nil,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newServer(none)
			for _, a := range c.acts {
				s.do(t, a)
			}
			var conflicts, ids []string
			for _, open := range s.conflicts() {
				conflicts = append(conflicts, describe(open.Path, string(open.Kind), open.Siblings))
				ids = append(ids, open.ID)
			}
			if got := string(s.state.Document()); got != c.document {
				t.Errorf("document %s, want %s", got, c.document)
			}
			if !slices.Equal(conflicts, c.conflicts) {
				t.Errorf("conflicts %q, want %q", conflicts, c.conflicts)
			}
			slices.Sort(ids)
			if len(slices.Compact(ids)) != len(conflicts) {
				t.Errorf("%d conflicts have the ids %q", len(conflicts), ids)
			}
		})
	}
}

// What a merge says of a batch is what the answer to its writer says.
func TestMergeReportsSuperseded(t *testing.T) {
	s := newServer(none)
	s.do(t, posts("A", 1, setA1))
	s.do(t, posts("A", 3, setA3))
	m := s.do(t, posts("A", 2, setA2, setB1))
	for i, a := range m.Added {
		if a.Live || !a.Superseded {
			t.Errorf("change %d of the late batch: live %v, superseded %v, want false, true", i, a.Live, a.Superseded)
		}
	}
	if len(m.Added) != 2 || len(m.Superseded) != 1 || m.Superseded[0].Dot.String() != "A:1:0" {
		t.Errorf("added %d, covered %v", len(m.Added), m.Superseded)
	}
}

package crdt_test

import (
	"maps"
	"strings"
	"testing"

	"firemode/internal/record/crdt"
)

func TestParseDot(t *testing.T) {
	for _, c := range []struct {
		text string
		want crdt.Dot
	}{
		{"tablet-7:12:0", crdt.Dot{Actor: "tablet-7", Batch: 12, Index: 0}},
		{"~0190:1:4999", crdt.Dot{Actor: "~0190", Batch: 1, Index: 4999}},
		{"tablet-7~s:1:2", crdt.Dot{Actor: "tablet-7~s", Batch: 1, Index: 2}},
	} {
		got, err := crdt.ParseDot(c.text)
		if err != nil || got != c.want || got.String() != c.text {
			t.Errorf("%s: %v, %v", c.text, got, err)
		}
	}
	for _, text := range []string{
		"", "a", "a:1", ":1:0", "a:0:0", "a:-1:0", "a:1:-1", "a:01:0", "a:1:+0", "a:1:0:0", "a:1:x", "a:1.0:0",
		"a:9223372036854775808:0", "a: 1:0",
	} {
		if d, err := crdt.ParseDot(text); err == nil {
			t.Errorf("%q was read as %v", text, d)
		}
	}
}

func FuzzParseDot(f *testing.F) {
	for _, s := range []string{"tablet-7:12:0", "~u:1:1", "a:01:0", "a:1:0:0", ":1:0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := crdt.ParseDot(s)
		if err == nil && (d.String() != s || d.Batch < 1 || d.Index < 0 || d.Actor == "") {
			t.Fatalf("%q was read as %#v", s, d)
		}
	})
}

func TestNaiveActor(t *testing.T) {
	if a, b := crdt.NaiveActor("tablet-7", "u1"), crdt.NaiveActor("", "u1"); a != "tablet-7~s" || b != "~u1" {
		t.Errorf("%s, %s", a, b)
	}
}

func TestClamp(t *testing.T) {
	prefixes := map[crdt.ActorID]int64{"phone-2": 4, "phone-3": 1, "self": 9}
	delivered := func(id crdt.ActorID) int64 { return prefixes[id] }
	for _, c := range []struct {
		name         string
		posted, want crdt.Clock
		cut          bool
	}{
		{"nothing posted", nil, crdt.Clock{}, false},
		{"the own entry is no foreign one", crdt.Clock{"self": 12}, crdt.Clock{}, false},
		{
			"what was delivered stays",
			crdt.Clock{"self": 12, "phone-2": 4, "phone-3": 1},
			crdt.Clock{"phone-2": 4, "phone-3": 1},
			false,
		},
		{"less than was delivered stays less", crdt.Clock{"phone-2": 2}, crdt.Clock{"phone-2": 2}, false},
		{"more is cut", crdt.Clock{"phone-2": 5, "phone-3": 1 << 62}, crdt.Clock{"phone-2": 4, "phone-3": 1}, true},
		{"an unknown actor is dropped", crdt.Clock{"nobody": 1}, crdt.Clock{}, true},
		{"0 counts as absent", crdt.Clock{"phone-2": 0, "nobody": 0}, crdt.Clock{}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, cut := crdt.Clamp(c.posted, "self", delivered)
			if !maps.Equal(got, c.want) || cut != c.cut {
				t.Errorf("%v, cut %v; want %v, %v", got, cut, c.want, c.cut)
			}
		})
	}
}

// A change stands for one operation per register that it writes, all with its dot.
func TestOpsOfAChange(t *testing.T) {
	changes := parsed(
		t,
		`{"op":"set","path":"/a","value":{"y/z":{"w":2},"x":1}}`,
		`{"op":"append","path":"/l","value":"note"}`,
		`{"op":"correct","path":"/a","value":{"x":3},"dot":"A:4:0","reason":"misread"}`,
		`{"op":"resolve","path":"/a","conflict_id":"c","dots":["A:4:0","B:1:0","A:4:0"],"reason":"gone"}`,
		`{"op":"remove","path":"/a","value":7}`,
	)
	b := crdt.Batch{Actor: "A", Number: 5, Foreign: crdt.Clock{"B": 2, "C": 3}, Changes: changes}
	want := []string{
		"A:5:0 /a/x set 1 sum 10 names []", "A:5:0 /a/y~1z/w set 2 sum 10 names []",
		`A:5:1 /l/A:5:1 append "note" sum 10 names []`,
		"A:5:2 /a resolve  sum 1 names [A:4:0]", "A:5:2 /a/x correct 3 sum 1 names []",
		"A:5:3 /a resolve  sum 2 names [A:4:0 B:1:0]",
		"A:5:4 /a remove  sum 10 names []",
	}
	var got []string
	for i := range changes {
		for _, op := range b.Ops(i, crdt.Stamp{}) {
			got = append(got, sprint(op))
		}
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

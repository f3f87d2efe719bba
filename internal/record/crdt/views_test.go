package crdt_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"firemode/internal/record/crdt"
	"firemode/internal/record/crdt/oracle"
)

// compareViews returns how what can be asked of a part of the state differs from the truth.
func (s *server) compareViews(want oracle.State) error {
	conflicts := kindsOf(want)
	var readings difference
	for _, top := range s.tops() {
		disputed := 0
		for path := range conflicts {
			if top.Holds(path) {
				disputed++
			}
		}
		if got := len(s.state.Conflicts(top, key)); got != disputed {
			return fmt.Errorf("at and below %s there are %d conflicts, want %d", top, got, disputed)
		}
		for _, r := range s.state.Readings(top) {
			readings.got(fmt.Sprint(r.Path, " ", r.Value, " below a reading ", s.underReading(r.Path)))
		}
	}
	for _, op := range want.Live {
		shown, ok := s.state.Shown(op.Path)
		if truth := want.Shown(op.Path); shown != truth || ok != (truth != "") {
			return fmt.Errorf("%s shows %q, %v, want %q", op.Path, shown, ok, truth)
		}
		c, open := s.state.Conflict(op.Path, key)
		if kind := conflicts[op.Path]; c.Kind != kind || open != (kind != "") {
			return fmt.Errorf("conflict of %s at %s, want %q", c.Kind, op.Path, kind)
		}
		if !ranked(c.Siblings) || !ranked(s.state.Live(op.Path)) {
			return fmt.Errorf("siblings at %s are not in order of rank", op.Path)
		}
	}
	for _, path := range uniquePaths(want.Live) {
		shown := func(p crdt.Pointer) bool { return want.Shown(p) != "" }
		if v := want.Shown(path); v != "" && !slices.ContainsFunc(path.Ancestors(), shown) {
			readings.want(fmt.Sprint(path, " ", v, " below a reading false"))
		}
	}
	return readings.err("readings")
}

func (s *server) underReading(p crdt.Pointer) bool {
	return slices.ContainsFunc(p.Ancestors(), func(above crdt.Pointer) bool {
		_, shown := s.state.Shown(above)
		return shown
	})
}

// ranked reports whether removals come last and, of the others, none comes after one that is older.
func ranked(siblings []*crdt.Op) bool {
	return slices.IsSortedFunc(siblings, func(a, b *crdt.Op) int {
		removals := func(op *crdt.Op) int64 {
			if op.Kind == crdt.Remove {
				return 1
			}
			return 0
		}
		if d := removals(a) - removals(b); d != 0 {
			return int(d)
		}
		return int(b.Time - a.Time)
	})
}

func uniquePaths(ops []*crdt.Op) []crdt.Pointer {
	var all []crdt.Pointer
	for _, op := range ops {
		all = append(all, op.Path)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// What a reader asks for agrees with the oracle, and so does a state that is loaded from rows that
// forgot what is contested.
func TestHistories_ViewsMatchOracle(t *testing.T) {
	check(t, 2_000, 300, func(t *rapid.T) {
		s := newServer(none)
		newPlay(s, func(b batch) { s.merge(b) }).run(scripts.Draw(t, "history"))
		want := s.truth()
		rebuilt := newServer(none)
		rebuilt.log, rebuilt.merged = s.log, s.merged
		for _, op := range want.Live {
			rebuilt.state.Load(*op)
			rebuilt.state.Load(*op) // twice is once
		}
		rebuilt.state.Recontest()
		for _, server := range []*server{s, rebuilt} {
			if err := firstOf(server.compareState(want), server.compareViews(want)); err != nil {
				t.Fatalf("after\n%s%v", s, err)
			}
		}
	})
}

func TestNothingThere(t *testing.T) {
	s := crdt.NewState(func(crdt.ActorID) crdt.Ranges { return nil })
	_, shown := s.Shown("/a")
	_, open := s.Conflict("/a", key)
	if shown || open || s.Live("/a") != nil || s.Readings("/a") != nil || s.Conflicts("/a", key) != nil {
		t.Error("an empty state shows something")
	}
	if got := string(s.Document()); got != "{}" {
		t.Errorf("document %s", got)
	}
}

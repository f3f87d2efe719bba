package crdt_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"firemode/internal/record/crdt"
	"firemode/internal/record/crdt/oracle"
)

// truth asks the oracle about everything that s has stored.
func (s *server) truth() oracle.State {
	h := oracle.History{Merged: map[crdt.ActorID]map[int64]bool{}}
	for _, b := range s.log {
		if h.Merged[b.actor] == nil {
			h.Merged[b.actor] = map[int64]bool{}
		}
		h.Merged[b.actor][b.number] = true
		h.Ops = append(h.Ops, b.ops...)
	}
	return h.State()
}

// compareState returns how the engine's state differs from the truth, nil when it does not.
func (s *server) compareState(want oracle.State) error {
	var live, contested, conflicts difference
	for _, op := range s.live() {
		live.got(name(op))
		contested.got(fmt.Sprint(name(op), " ", op.Contested))
	}
	for _, op := range want.Live {
		live.want(name(op))
		contested.want(fmt.Sprint(name(op), " ", want.Contested(op)))
	}
	for _, c := range s.conflicts() {
		conflicts.got(describe(c.Path, string(c.Kind), c.Siblings))
	}
	for _, c := range want.Conflicts() {
		conflicts.want(describe(c.Path, c.Kind, c.Siblings))
	}
	if got := string(s.state.Document()); got != want.Document() {
		return fmt.Errorf("document %s, want %s", got, want.Document())
	}
	return firstOf(live.err("live"), conflicts.err("conflicts"), contested.err("contested"))
}

// compareReport returns how what Merge said about b differs from what has come of it.
func compareReport(b batch, m crdt.Merged, before, after oracle.State) error {
	var added, superseded, recontested difference
	for _, a := range m.Added {
		added.got(fmt.Sprint(name(a.Op), " live ", a.Live, " superseded ", a.Superseded && bears(a.Op)))
	}
	alive := namesOf(after.Live)
	for i := range b.ops {
		op := &b.ops[i]
		added.want(fmt.Sprint(name(op), " live ", alive[name(op)] != nil, " superseded ",
			bears(op) && alive[name(op)] == nil))
	}
	for _, op := range m.Superseded {
		superseded.got(name(op))
	}
	for _, op := range m.Recontested {
		recontested.got(fmt.Sprint(name(op), " ", op.Contested))
	}
	for _, op := range before.Live {
		switch {
		case alive[name(op)] == nil:
			superseded.want(name(op))
		case before.Contested(op) != after.Contested(op):
			recontested.want(fmt.Sprint(name(op), " ", after.Contested(op)))
		}
	}
	return firstOf(added.err("added"), superseded.err("superseded"), recontested.err("recontested"),
		compareTouched(b, m.Touched, before, after))
}

// compareTouched holds that a touch tells the truth about its path, and that every path is touched
// whose live operations or whose conflict changed. What a batch wrote and superseded again itself
// may be touched, and a conflict that stays as it was.
func compareTouched(b batch, touched []crdt.Touch, before, after oracle.State) error {
	was, is := kindsOf(before), kindsOf(after)
	seen := map[crdt.Pointer]bool{}
	for _, t := range touched {
		seen[t.Path] = true
		if t.Before != was[t.Path] || t.After != is[t.Path] {
			return fmt.Errorf("touched %s from %q to %q, want from %q to %q", t.Path, t.Before, t.After, was[t.Path],
				is[t.Path])
		}
	}
	must := map[crdt.Pointer]bool{}
	for path := range union(was, is) {
		must[path] = was[path] != is[path]
	}
	old, alive := namesOf(before.Live), namesOf(after.Live)
	for id, op := range union(old, alive) {
		must[op.Path] = must[op.Path] || old[id] == nil || alive[id] == nil
	}
	for path, changed := range must {
		if changed && !seen[path] {
			return fmt.Errorf("%s changed (conflict %q, then %q) and was not touched", path, was[path], is[path])
		}
	}
	for path := range seen {
		if !must[path] && was[path] == "" && !wrote(b, path) {
			return fmt.Errorf("%s was touched, and nothing changed there, nor was there a conflict", path)
		}
	}
	return nil
}

// bears reports whether op is anything that could be superseded: a resolve to absent bears nothing.
func bears(op *crdt.Op) bool { return op.Kind == crdt.Remove || op.Value != "" }

func wrote(b batch, path crdt.Pointer) bool {
	return slices.ContainsFunc(b.ops, func(op crdt.Op) bool { return path.Holds(op.Path) })
}

func kindsOf(s oracle.State) map[crdt.Pointer]crdt.ConflictKind {
	kinds := map[crdt.Pointer]crdt.ConflictKind{}
	for _, c := range s.Conflicts() {
		kinds[c.Path] = crdt.ConflictKind(c.Kind)
	}
	return kinds
}

func namesOf(ops []*crdt.Op) map[string]*crdt.Op {
	named := map[string]*crdt.Op{}
	for _, op := range ops {
		named[name(op)] = op
	}
	return named
}

func union[K comparable, V any](a, b map[K]V) map[K]V {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

// name identifies an operation in what a test prints.
func name(op *crdt.Op) string { return op.Dot.String() + " " + string(op.Path) }

func describe(path crdt.Pointer, kind string, siblings []*crdt.Op) string {
	var names []string
	for _, op := range siblings {
		names = append(names, name(op))
	}
	slices.Sort(names)
	return string(path) + " " + kind + " of [" + strings.Join(names, ", ") + "]"
}

// difference collects what there is and what there should be, in any order.
type difference struct{ gots, wants []string }

func (d *difference) got(s string)  { d.gots = append(d.gots, s) }
func (d *difference) want(s string) { d.wants = append(d.wants, s) }

func (d *difference) err(what string) error {
	slices.Sort(d.gots)
	slices.Sort(d.wants)
	if slices.Equal(d.gots, d.wants) {
		return nil
	}
	return fmt.Errorf("%s: %q\nwant: %q", what, d.gots, d.wants)
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

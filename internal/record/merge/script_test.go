package merge_test

import (
	"slices"

	"pgregory.net/rapid"

	"firemode/internal/record/crdt"
)

// A script is a history as data: what phones write, what arrives when and how often, who reads, who
// is cloned. Every number in it is taken modulo what there is to choose from when it is played, so
// that any script can be played and a shorter one is one too.
type script []step

type step struct {
	do      action
	phone   int
	pick    int     // which held draft, which earlier post, how many batches back a clone was taken, …
	odd     bool    // the other way of doing it, see play
	whole   bool    // write, hold, careless: all of it or nothing
	behalf  bool    // posting: a manager submits the same, before the phone does, after it, or instead
	claims  bool    // write: the clock is made up, else it is the one last shown
	clock   []int64 // claims: what the phone says to have seen of each phone
	changes []intent
	with    []step // together: what is posted in one group
}

type action string

const (
	write    action = "write"    // and send at once
	hold     action = "hold"     // write, and keep it for later
	send     action = "send"     // one of the held drafts, in any order
	lose     action = "lose"     // send an empty batch under the number of a held draft
	retry    action = "retry"    // send again under the same key
	again    action = "again"    // send again under another key
	reuse    action = "reuse"    // send something else under a used key, or the same as a whole that was not one
	careless action = "careless" // send without a number of its own
	clone    action = "clone"    // a copy of the phone goes on from an earlier batch under the same id
	pull     action = "pull"     // read the whole document: delivered, unless it does not say who reads
	page     action = "page"     // read a delta: all of its pages, or just the first
	restart  action = "restart"  // another node, or the same one started again
	complete action = "complete" // settle everything first, or try as it is
	reopen   action = "reopen"
	together action = "together"
)

// intent is a change before it is known what there is to name.
type intent struct {
	kind     crdt.Kind
	path     crdt.Pointer
	value    string
	delta    string
	pick     int
	captured int  // which of the times
	odd      bool // resolve: one of all conflicts ever shown; correct: from one level above
	forged   bool // resolve: the id is not the conflict's; correct: the reading is another's
}

var (
	paths = rapid.SampledFrom([]crdt.Pointer{
		"/items/X/note", "/items/X/note", "/items/X/outcome", "/items/X/measurements/a", "/items/X/measurements",
		"/items/X", "/items/X",
		"/items/Y/note", "/items/Y", "/items/Z/a", "/items", "/a", "/a/b", "/a/b/c", "/l", "/l/A:1:0",
		"/items/X/evidence", "/a/x~1y",
	})
	values = rapid.SampledFrom([]string{
		"1", "2", "1.0", "12.50", `"x"`, `"pass"`, "null", "[1]", `{"b":1}`, `{"note":"n","measurements":{"a":2}}`, `{"X":{"note":"x"},"b":{"c":2}}`,
	})
	deltas = rapid.SampledFrom([]string{"1", "0.5", "-2", "1e2"})
	kinds  = rapid.SampledFrom([]crdt.Kind{
		crdt.Set, crdt.Set, crdt.Set, crdt.Remove, crdt.Append, crdt.Increment, crdt.Increment, crdt.Resolve,
		crdt.Resolve, crdt.Correct, "guess", // which there is not
	})
	claimed = rapid.SampledFrom([]int64{0, 0, 1, 2, 3, 99})
	small   = rapid.IntRange(0, 7)
	seldom  = rapid.Custom(func(t *rapid.T) bool { return small.Draw(t, "one in eight") == 7 })

	intents = rapid.Custom(func(t *rapid.T) intent {
		return intent{
			kind: kinds.Draw(
				t,
				"op",
			), path: paths.Draw(t, "path"), value: values.Draw(t, "value"), delta: deltas.Draw(t, "delta"),
			pick: small.Draw(
				t,
				"pick",
			), captured: small.Draw(t, "captured"), odd: rapid.Bool().Draw(t, "odd"), forged: seldom.Draw(t, "forged"),
		}
	})
	posting = []action{write, write, write, hold, hold, hold, send, send, lose, retry, again, reuse, careless}
	others  = []action{
		clone,
		pull,
		pull,
		pull,
		page,
		page,
		restart,
		complete,
		complete,
		reopen,
		reopen,
		together,
		together,
		together,
	}
	posts = rapid.Custom(func(t *rapid.T) step { return drawStep(t, posting) })
	steps = rapid.Custom(func(t *rapid.T) step {
		s := drawStep(t, append(posting, others...))
		if s.do == together {
			s.with = rapid.SliceOfN(posts, 2, 4).Draw(t, "with")
		}
		return s
	})
	scripts = rapid.Custom(func(t *rapid.T) script { return rapid.SliceOfN(steps, 5, 24).Draw(t, "script") })
)

func drawStep(t *rapid.T, among []action) step {
	s := step{
		do:    rapid.SampledFrom(among).Draw(t, "do"),
		phone: small.Draw(t, "phone"),
		pick:  small.Draw(t, "pick"),
		odd:   rapid.Bool().Draw(t, "odd"),
	}
	if slices.Contains(posting, s.do) {
		s.behalf = seldom.Draw(t, "behalf")
	}
	switch s.do {
	case write, hold, careless:
		s.whole = small.Draw(t, "whole") > 5
		s.changes = rapid.SliceOfN(intents, 0, 3).Draw(t, "changes")
		if s.claims = rapid.Bool().Draw(t, "claims"); s.claims {
			s.clock = rapid.SliceOfN(claimed, 3, 5).Draw(t, "clock")
		}
	}
	return s
}

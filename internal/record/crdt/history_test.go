package crdt_test

import (
	"pgregory.net/rapid"

	"firemode/internal/record/crdt"
)

// A script is a history as data: what phones write, what the server receives when, who pulls, who
// is cloned. Every number in it is taken modulo what there is to choose from when it is played, so
// that any script can be played and a shorter one is one too.
type script []step

type step struct {
	do      action
	phone   int
	pick    int // send: which held batch; fork: how many batches back the clone was taken
	changes []intent
	clock   []int64 // write: what the phone claims to have seen of each phone, true or not
}

type action string

const (
	write action = "write" // and send at once
	hold  action = "hold"  // write, and keep it for later
	send  action = "send"  // one of the held batches, in any order
	pull  action = "pull"  // a GET that names its client, so that what it shows is delivered
	fork  action = "fork"  // a phone that the server told to go on under a fresh id
)

// intent is a change before it is known which dots there are to name.
type intent struct {
	kind  crdt.Kind
	path  crdt.Pointer
	value crdt.Value
	delta crdt.Value
	pick  int  // which conflict to resolve, which reading to correct
	above bool // correct: from one level above the reading
	time  int64
}

const phones = 3 // at the start; forks add to them

var (
	// The last two are the first children that A and B append to /l: written by name, they meet
	// what is appended.
	paths = rapid.SampledFrom([]crdt.Pointer{
		"/a", "/a", "/a/b", "/a/b", "/a/b/c", "/a/d", "/e", "/l", "/a/x~1y", "/l/A:1:0", "/l/B:2:0",
	})
	values = rapid.SampledFrom([]crdt.Value{
		"1", "2", "1.0", "12.50", `"x"`, "null", "[1]", "[1.0]", `{"b":1}`, `{"b":{"c":2},"d":"y"}`, "true",
	})
	deltas = rapid.SampledFrom([]crdt.Value{"1", "0.5", "-2", "1e2"})
	kinds  = rapid.SampledFrom([]crdt.Kind{
		crdt.Set, crdt.Set, crdt.Set, crdt.Remove, crdt.Append, crdt.Increment, crdt.Increment, crdt.Resolve,
		crdt.Correct,
	})
	claims = rapid.SampledFrom([]int64{0, 0, 1, 2, 99, 99})
	small  = rapid.IntRange(0, 7)

	intents = rapid.Custom(func(t *rapid.T) intent {
		return intent{
			kind: kinds.Draw(t, "op"), path: paths.Draw(t, "path"), value: values.Draw(t, "value"),
			delta: deltas.Draw(t, "delta"),
			pick:  small.Draw(t, "pick"), above: rapid.Bool().Draw(t, "above"),
			time: int64(rapid.IntRange(0, 2).Draw(t, "time")),
		}
	})
	actions = rapid.SampledFrom([]action{write, write, write, hold, hold, send, send, pull, pull, fork})
	steps   = rapid.Custom(func(t *rapid.T) step {
		s := step{do: actions.Draw(t, "do"), phone: small.Draw(t, "phone")}
		switch s.do {
		case write, hold:
			s.changes = rapid.SliceOfN(intents, 0, 3).Draw(t, "changes")
			s.clock = rapid.SliceOfN(claims, phones, phones+1).Draw(t, "clock")
		case send, fork:
			s.pick = small.Draw(t, "pick")
		}
		return s
	})
	scripts = rapid.Custom(func(t *rapid.T) script { return rapid.SliceOfN(steps, 3, 14).Draw(t, "script") })
)

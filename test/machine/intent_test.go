package machine

import (
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"pgregory.net/rapid"

	"firemode/client"
	"firemode/internal/record/crdt"
)

// intent is a change before it is known what there is to name.
type intent struct {
	kind   client.Op
	path   client.Pointer
	value  string
	delta  string
	pick   int
	odd    bool // resolve: to absent; correct: from one level above
	forged bool // resolve: what was not shown; correct: what was not given
}

// changes makes intents changes, as ph sees the session.
func (m *machine) changes(ph *phone, intents []intent) []client.Change {
	all := []client.Change{}
	for _, in := range intents {
		c := m.change(ph, in)
		if in.pick == 6 {
			c.CapturedAt = m.clock.now().Add(-30 * 24 * time.Hour).UTC()
		}
		if in.pick == 5 {
			c.Instrument = &client.Instrument{ID: "G-17", CalibratedUntil: "2027-03-01"}
		}
		all = append(all, c)
	}
	return all
}

func (m *machine) change(ph *phone, in intent) client.Change {
	switch in.kind {
	case client.OpRemove:
		return client.Remove(in.path)
	case client.OpIncrement:
		return client.Increment(in.path, jsontext.Value(in.delta))
	case client.OpAppend:
		return client.Append(in.path, jsontext.Value(in.value))
	case "guess":
		return client.Change{Op: in.kind, Path: in.path}
	case client.OpResolve:
		if open := conflictsOf(ph); len(open) > 0 {
			return resolve(open[in.pick%len(open)], in)
		}
	case client.OpCorrect:
		if readings := m.readings(ph, in.forged); len(readings) > 0 {
			r := readings[(len(readings)-1)*in.pick/7]
			if above, has := crdt.Pointer(r.path).Parent(); has && in.odd {
				r.path = client.Pointer(above)
			}
			return client.Correct(r.path, r.dot, jsontext.Value(in.value), "misread")
		}
	}
	if in.path == "" {
		in.path = "/a"
	}
	return client.Set(in.path, jsontext.Value(in.value))
}

func resolve(c client.Conflict, in intent) client.Change {
	value := jsontext.Value(in.value)
	if in.odd {
		value = nil
	}
	settled := client.Resolve(c, value, "seen on site")
	slices.Sort(settled.Dots)
	settled.Dots = slices.Compact(settled.Dots)
	switch {
	case in.forged && len(settled.Dots) > 1 && in.pick%2 == 0:
		settled.Dots = settled.Dots[1:]
	case in.forged:
		settled.ConflictID = "x" + c.ID[1:]
	}
	return settled
}

// reading is a dot and where it wrote.
type reading struct {
	dot  string
	path client.Pointer
}

// readings are those that ph may correct: its own, arrived or not, and those that it was shown in
// conflicts; or, forged, any.
func (m *machine) readings(ph *phone, forged bool) (all []reading) {
	for _, b := range ph.Batches {
		for i, c := range b.Changes {
			all = append(all, reading{fmt.Sprint(b.Client, ":", b.Number, ":", i), c.Path})
		}
	}
	for _, c := range conflictsOf(ph) {
		for _, v := range c.Values {
			at := c.Path
			if v.Path != "" {
				at = v.Path
			}
			all = append(all, reading{v.Dot, at})
		}
	}
	for _, row := range m.now.Rows {
		if forged {
			all = append(all, reading{row.Dot.String(), client.Pointer(row.Path)})
		}
	}
	return all
}

var (
	paths = rapid.SampledFrom([]client.Pointer{
		"/items/X/note", "/items/X/note", "/items/X/outcome", "/items/X/measurements/a", "/items/X",
		"/items/X/conditions/AS1851-2012-FE-01/pressure_low", "/items/Y/note", "/items", "/a", "/a", "/a/b", "/a/b/c",
		"/l", "/l/A:1:0", "/a/x~1y",
	})
	values = rapid.SampledFrom([]string{
		"1", "2", "12.50", "true", `"x"`, `"pass"`, "null", "[1]", `{"b":1}`, `{"note":"n","measurements":{"a":2}}`,
	})
	deltas = rapid.SampledFrom([]string{"1", "0.5", "-2", "1e2"})
	kinds  = rapid.SampledFrom([]client.Op{
		client.OpSet, client.OpSet, client.OpSet, client.OpSet, client.OpRemove, client.OpAppend,
		client.OpIncrement, client.OpIncrement, client.OpResolve, client.OpResolve, client.OpCorrect,
		"guess", // unknown to the server
	})
	claimed = rapid.SampledFrom([]int64{0, 0, 1, 2, 3, 99})
	small   = rapid.IntRange(0, 7)

	intents = rapid.Custom(func(t *rapid.T) intent {
		return intent{
			kind:   kinds.Draw(t, "op"),
			path:   paths.Draw(t, "path"),
			value:  values.Draw(t, "value"),
			delta:  deltas.Draw(t, "delta"),
			pick:   small.Draw(t, "pick"),
			odd:    rapid.Bool().Draw(t, "odd"),
			forged: small.Draw(t, "forged") == 7,
		}
	})
)

// drawStep draws a step of a kind.
func drawStep(t *rapid.T, do action) step {
	s := step{do: do, phone: small.Draw(t, "phone"), pick: small.Draw(t, "pick"), odd: rapid.Bool().Draw(t, "odd")}
	switch do {
	case record, send, careless, atomic, spoil, behalf, retry, rekey, otherBody, otherBatch:
		s.changes = rapid.SliceOfN(intents, 0, 3).Draw(t, "changes")
		s.lost = small.Draw(t, "lost") > 5
	case pull, delta, bundled, settle, settleBoth:
		s.lost = small.Draw(t, "lost") > 5
	}
	if do == send && small.Draw(t, "forged") > 4 {
		s.claims = rapid.SliceOfN(claimed, 3, 5).Draw(t, "claims")
	}
	return s
}

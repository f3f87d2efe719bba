package httpapi

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestResolve(t *testing.T) {
	play(t, []scenario{
		{"a resolve settles what it names, with the value that it carries", func(t *testing.T, v *visit) {
			a, b := v.pair()
			a.write(set("/x", "1"))
			b.write(set("/x", "2"))
			c := a.look().conflictAt(t, "/x")
			same(t, c.dots(), []string{"a:1:0", "b:1:0"})
			same(t, a.write(resolve(c, "3", c.dots()...)).statuses(), "applied")
			v.document(`{"x":3}`)
			v.disputed()
		}},
		{"without a value the answer is that nothing is there, which disputes with nothing", func(t *testing.T, v *visit) {
			a, b := v.pair()
			a.write(set("/x", "1"))
			b.write(set("/x", "2"))
			c := a.look().conflictAt(t, "/x")
			a.write(resolve(c, "", c.dots()...))
			v.document(`{}`)
			v.disputed()
			b.write(set("/x", "4"))
			v.document(`{"x":4}`)
			v.disputed()
		}},
		{"a resolve that names a dot nobody has", func(t *testing.T, v *visit) {
			a, b := v.pair()
			a.write(set("/x", "1"), set("/y", "1"))
			b.write(set("/x", "2"))
			c := a.look().conflictAt(t, "/x")
			for _, dots := range [][]string{
				{"a:1:0", "b:1:0", "nobody:1:0"}, {"a:1:0", "b:1:1"}, {"a:1:0", "b:2:0"}, {"a:1:0", "a:1:1"}, {"a:1:0"}, {"b:1:0"},
			} {
				r := a.write(resolve(c, "3", dots...))
				same(t, r.statuses(), "rejected")
				if r.Results[0].Reason == "" || r.Results[0].Conflict == nil || r.Results[0].Conflict.ID != c.ID {
					t.Errorf("%v: rejected without the reason or the conflict as it is: %+v", dots, r.Results[0])
				}
			}
			v.disputed(`value /x 2 1`)
		}},
		{"a dot that is not written as one, or a resolve that lacks a part, is rejected", func(t *testing.T, v *visit) {
			a, b := v.pair()
			a.write(set("/x", "1"))
			b.write(set("/x", "2"))
			c := a.look().conflictAt(t, "/x")
			for _, dot := range []string{"a", "a:1", "a:0:0", "a:1:-1", "a:01:0", ":1:0", "a:1:0:0", "a:x:0"} {
				same(t, a.write(resolve(c, "3", "b:1:0", dot)).statuses(), "rejected")
			}
			text := resolve(c, "3", c.dots()...)
			for _, part := range []string{`,"reason":"looked again"`, `,"conflict_id":"` + c.ID + `"`, `,"dots":["a:1:0","b:1:0"]`} {
				same(t, a.write(strings.Replace(text, part, "", 1)).statuses(), "rejected")
			}
			same(t, a.write(strings.Replace(text, "looked again", "  ", 1)).statuses(), "rejected")
			v.disputed(`value /x 2 1`)
		}},
		{"an id that is not that of the dots is answered with the conflict as it is now", func(t *testing.T, v *visit) {
			a, b := v.pair()
			a.write(set("/x", "1"))
			b.write(set("/x", "2"))
			stale := a.look().conflictAt(t, "/x")
			v.send("engineer", batch{client: "e", number: 1, changes: []string{set("/x", "4")}})
			forged := stale
			forged.ID = strings.ToLower(stale.ID) + "A"
			r := a.write(resolve(forged, "3", "a:1:0", "b:1:0"), resolve(stale, "3", "a:1:0", "b:1:0", "e:1:0"))
			same(t, r.statuses(), "rejected rejected")
			for _, c := range r.Results {
				same(t, c.Conflict.String(), `value /x 4 2 1`)
				same(t, c.Conflict.dots(), []string{"a:1:0", "b:1:0", "e:1:0"})
			}
			v.disputed(`value /x 4 2 1`)
			same(t, a.write(resolve(*r.Results[0].Conflict, "3", r.Results[0].Conflict.dots()...)).statuses(), "applied")
			v.disputed()
		}},
		{"a reading that was not named stays, and the conflict is open again", func(t *testing.T, v *visit) {
			a, b := v.pair()
			a.write(set("/x", "1"))
			b.write(set("/x", "2"))
			c := a.look().conflictAt(t, "/x")
			v.send("engineer", batch{client: "e", number: 1, changes: []string{set("/x", "4")}})
			same(t, a.write(resolve(c, "3", c.dots()...)).statuses(), "applied")
			v.disputed(`value /x 3 4`)
		}},
		{"two resolutions at once", func(t *testing.T, v *visit) {
			a, b := v.pair()
			a.write(set("/x", "1"))
			b.write(set("/x", "2"))
			c := a.look().conflictAt(t, "/x")
			b.look()
			same(t, a.write(resolve(c, "1", c.dots()...)).statuses(), "applied")
			same(t, b.write(resolve(c, "2", c.dots()...)).statuses(), "applied")
			v.disputed(`value /x 2 1`)
			again := a.look().conflictAt(t, "/x")
			if again.ID == c.ID {
				t.Error("the conflict of two resolutions has the id of the one that they settled")
			}
			a.write(resolve(again, "2", again.dots()...))
			v.document(`{"x":2}`)
			v.disputed()
		}},
		{"two resolutions with one answer agree", func(t *testing.T, v *visit) {
			a, b := v.pair()
			a.write(set("/x", "1"))
			b.write(set("/x", "2"))
			c := a.look().conflictAt(t, "/x")
			a.write(resolve(c, "1.0", c.dots()...))
			b.write(resolve(c, "1", c.dots()...))
			v.disputed()
		}},
		{"a shape is settled at the path above", func(t *testing.T, v *visit) {
			a, b := v.pair()
			a.write(set("/i/a", "1"), set("/i/b", "2"))
			b.write(set("/i", `"all"`))
			c := a.look().conflictAt(t, "/i")
			same(t, c.dots(), []string{"a:1:0", "a:1:1", "b:1:0"})
			same(t, a.write(resolve(c, `{"a":1,"c":3}`, c.dots()...)).statuses(), "applied")
			v.document(`{"i":{"a":1,"c":3}}`)
			v.disputed()
		}},
		{"increments beside a set are settled by their dots", func(t *testing.T, v *visit) {
			a, b := v.pair()
			a.write(set("/n", "10"))
			b.write(increment("/n", "2"), increment("/n", "3"))
			c := a.look().conflictAt(t, "/n")
			same(t, c.dots(), []string{"a:1:0", "b:1:0", "b:1:1"})
			a.write(resolve(c, "15", c.dots()...))
			v.document(`{"n":15}`)
			v.disputed()
		}},
		{"a conflict of one session settles nothing in another", func(t *testing.T, v *visit) {
			other := &visit{world: v.world, id: v.session(t, v.id+"-other")}
			for _, w := range []*visit{v, other} {
				a, b := w.pair()
				a.write(set("/x", "1"))
				b.write(set("/x", "2"))
			}
			c, foreign := v.pull("tech1", "").conflictAt(t, "/x"), other.pull("tech1", "").conflictAt(t, "/x")
			same(t, c.dots(), foreign.dots())
			same(t, v.send("tech1", batch{client: "a", number: 2, changes: []string{resolve(foreign, "3", c.dots()...)}}).statuses(), "rejected")
		}},
		{"every sibling tells who, with what, when, and when it came", siblingsTell},
	})
}

func siblingsTell(t *testing.T, v *visit) {
	v.send("tech1", batch{client: "a", number: 1, changes: []string{
		`{"op":"set","path":"` + pressure + `","value":1180.0,"captured_at":"2026-11-20T03:12:44.5Z","instrument":{"id":"G-17","calibrated_until":"2027-03-01"},"source":"typed"}`,
	}})
	v.send("tech2", batch{changes: []string{set(pressure, "1200")}})
	values := v.pull("engineer", "").conflictAt(t, pressure).Values
	i := slices.IndexFunc(values, func(s sibling) bool { return s.Dot == "a:1:0" })
	s, naive := values[i], values[1-i]
	same(t, []any{s.User, s.Client, string(s.Value), s.Op, string(s.Instrument)}, []any{"tech1", "a", "1180.0", "set", `{"calibrated_until":"2027-03-01","id":"G-17"}`})
	same(t, s.CapturedAt.Format("2006-01-02T15:04:05.0Z07:00"), "2026-11-20T03:12:44.5Z")
	same(t, []any{naive.User, naive.Client, naive.Dot, naive.CapturedAt == nil}, []any{"tech2", "", "~tech2:1:0", true})
	if naive.ReceivedAt.Before(s.ReceivedAt) || s.ReceivedAt.IsZero() {
		t.Errorf("received at %s and %s", s.ReceivedAt, naive.ReceivedAt)
	}
}

func TestCorrect(t *testing.T) {
	play(t, []scenario{
		{"an own reading is replaced, and what others wrote stays", func(t *testing.T, v *visit) {
			a, b := v.pair()
			a.write(set("/x", "1"), set("/x/y", "5"))
			b.write(set("/x", "2"))
			same(t, a.write(correct("/x", "3", "a:1:0")).statuses(), "applied")
			v.disputed(`shape /x 3 2 /x/y5`)
		}},
		{"an earlier change of the same batch is replaced", func(t *testing.T, v *visit) {
			a, _ := v.pair()
			same(t, a.write(set("/x", "1"), correct("/x", "2", "a:1:0")).statuses(), "superseded applied")
			v.document(`{"x":2}`)
		}},
		{"a later change, another path and nobody's reading cannot be corrected", func(t *testing.T, v *visit) {
			a, _ := v.pair()
			a.write(set("/x", "1"))
			r := a.write(correct("/x", "9", "a:2:0"), correct("/x", "9", "a:2:2"), correct("/y", "9", "a:1:0"), correct("/x", "9", "a:3:0"),
				correct("/x", "9", "a:1:1"), correct("/x", "9", "nobody:1:0"), strings.Replace(correct("/x", "9", "a:1:0"), "misread", "", 1),
				`{"op":"correct","path":"/x","value":9,"reason":"misread"}`, `{"op":"correct","path":"/x","dot":"a:1:0","reason":"misread"}`)
			same(t, r.statuses(), strings.TrimSpace(strings.Repeat("rejected ", 9)))
			v.document(`{"x":1}`)
		}},
		{"a correct that arrives before the reading of its own writer", func(t *testing.T, v *visit) {
			a, b := v.pair()
			same(t, v.send("tech1", a.batch(2, correct("/x", "3", "a:1:0"))).statuses(), "applied")
			v.document(`{"x":3}`)
			b.write(set("/x", "2"))
			same(t, v.send("tech1", a.batch(1, set("/x", "1"))).statuses(), "superseded")
			v.disputed(`value /x 2 3`)
		}},
		{"a reading of another is corrected once it was delivered", func(t *testing.T, v *visit) {
			a, b := v.pair()
			b.write(set("/x", "1"))
			same(t, a.write(correct("/x", "2", "b:1:0")).statuses(), "rejected")
			a.look()
			b.write(set("/y", "1"))
			same(t, a.write(correct("/x", "2", "b:1:0"), correct("/y", "2", "b:2:0")).statuses(), "applied rejected")
			v.document(`{"x":2,"y":1}`)
			v.disputed()
		}},
		{"a naive client corrects its own readings alone", func(t *testing.T, v *visit) {
			v.send("tech1", batch{client: "n", changes: []string{set("/x", "1")}})
			v.send("tech2", batch{client: "b", number: 1, changes: []string{set("/y", "1")}})
			v.pull("tech1", "n")
			r := v.send("tech1", batch{client: "n", changes: []string{correct("/x", "2", "n~s:1:0"), correct("/y", "2", "b:1:0"), correct("/x", "3", "n~s:2:0")}})
			same(t, r.statuses(), "applied rejected rejected")
			v.document(`{"x":2,"y":1}`)
		}},
		{"the child that an append made is corrected by its dot", func(t *testing.T, v *visit) {
			a, _ := v.pair()
			a.write(appendTo("/log", `"one"`))
			same(t, a.write(correct("/log/a:1:0", `"two"`, "a:1:0")).statuses(), "applied")
			v.document(`{"log":{"a:1:0":"two"}}`)
		}},
	})
}

// TestCasesThatBrokeDrafts are the cases that the merge design names because earlier drafts of it failed them. Those that belong to
// one operation stand with it.
func TestCasesThatBrokeDrafts(t *testing.T) {
	play(t, []scenario{
		{"a clock taken from an answer that then hides what the answer never showed", func(t *testing.T, v *visit) {
			a, b := v.pair()
			b.write(set("/x", "1"))
			b.write(set("/y", "1"))
			a.seen = map[string]int64{"b": 2}
			a.seen = a.write(set("/y", "2")).Clock
			same(t, a.seen, map[string]int64{"a": 1})
			a.seen = map[string]int64{"b": 2}
			a.write(remove("/x"))
			v.document(`{"x":1,"y":2}`)
			v.disputed(`removed /x 1 null`, `value /y 2 1`)
		}},
		{"a GET whose answer was lost", func(t *testing.T, v *visit) {
			// The answer was delivered as far as the server can know, but the phone's clock does not claim it: nothing is hidden.
			a, b := v.pair()
			b.write(set("/x", "1"))
			v.pull("tech1", "a")
			a.write(set("/x", "2"))
			v.disputed(`value /x 2 1`)
			a.seen = map[string]int64{"b": 1}
			a.write(set("/x", "3"))
			v.disputed()
		}},
		{"batch 3 before batch 2 with a reader in between", func(t *testing.T, v *visit) {
			a, b := v.pair()
			v.send("tech1", a.batch(1, set("/x", "1")))
			v.send("tech1", a.batch(3, set("/y", "3")))
			same(t, b.look().Clock, map[string]int64{"a": 1})
			b.seen = map[string]int64{"a": 3}
			same(t, b.write(set("/x", "9"), set("/y", "9"), set("/z", "9")).Clock, map[string]int64{"a": 1, "b": 1})
			v.send("tech1", a.batch(2, set("/z", "2")))
			v.disputed(`value /y 9 3`, `value /z 2 9`)
			v.document(`{"x":9,"y":9,"z":2}`)
		}},
		{"a clone whose first conflicting number is caught and whose second is not", func(t *testing.T, v *visit) {
			_, b := v.pair()
			v.send("tech1", batch{client: "a", number: 1, id: "one", changes: []string{set("/x", "1")}})
			v.send("tech1", batch{client: "a", number: 2, id: "two", prev: "one", changes: []string{set("/x", "2")}})
			b.look()
			v.forked("tech1", batch{client: "a", number: 2, id: "2b", prev: "one", changes: []string{set("/x", "22")}})
			// The clone did not wait for the answer: its next number is free here, but does not follow from what is held.
			fresh := v.forked("tech1", batch{client: "a", number: 3, id: "3b", prev: "2b", changes: []string{set("/y", "33")}})
			v.document(`{"x":2}`)
			v.send("tech1", batch{client: fresh, number: 1, id: "3b", prev: "2b", changes: []string{set("/y", "33"), set("/x", "33")}})
			v.disputed(`value /x 33 2`)
		}},
		{"two clones with batches in flight out of order", func(t *testing.T, v *visit) {
			v.send("tech1", batch{client: "a", number: 1, id: "one", changes: []string{set("/x", "1")}})
			v.send("tech1", batch{client: "a", number: 3, id: "3a", prev: "2a", changes: []string{set("/p", "3")}})
			fresh := v.forked("tech1", batch{client: "a", number: 2, id: "2b", prev: "one", changes: []string{set("/x", "2")}})
			v.forked("tech1", batch{client: "a", number: 3, id: "3b", prev: "2b", changes: []string{set("/p", "33")}})
			r := v.send("tech1", batch{client: fresh, number: 1, id: "2b", prev: "one", changes: []string{set("/x", "2")}})
			same(t, r.statuses(), "applied")
			v.send("tech1", batch{client: "a", number: 2, id: "2a", prev: "one", changes: []string{set("/x", "22")}})
			v.disputed(`value /x 22 2`)
		}},
		{"a forged clock hides nothing", func(t *testing.T, v *visit) {
			a, b := v.pair()
			for i := range 5 {
				b.write(set(fmt.Sprintf("/x%d", i), "1"))
			}
			a.seen = map[string]int64{"b": 1 << 62}
			same(t, a.write(remove("/x0"), set("/x1", "2")).Clock, map[string]int64{"a": 1})
			a.look()
			a.seen = map[string]int64{"b": 1 << 62, "c": 9}
			b.write(set("/x2", "9"))
			same(t, a.write(set("/x2", "2")).Clock, map[string]int64{"a": 2, "b": 5})
			v.disputed(`removed /x0 1 null`, `value /x1 2 1`, `value /x2 2 9`)
		}},
	})
}

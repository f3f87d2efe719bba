package httpapi

import (
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

func TestConflicts_ResolvedByName(t *testing.T) {
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
			for _, part := range []string{
				`,"reason":"looked again"`, `,"conflict_id":"` + c.ID + `"`,
				`,"dots":["a:1:0","b:1:0"]`,
			} {
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
		{"a reading that arrives after a resolution opens the conflict again", func(t *testing.T, v *visit) {
			a, b := v.pair()
			a.write(set("/items/I/note", `"p"`))
			b.write(set("/items/I/note", `"q"`))
			c := a.look().conflictAt(t, "/items/I/note")
			a.write(resolve(c, `"p"`, c.dots()...))
			v.disputed()
			v.send("engineer", batch{client: "offline", number: 1, changes: []string{set("/items/I/note", `"r"`)}})
			v.disputed(`value /items/I/note "r" "p"`)
			again := a.look().conflictAt(t, "/items/I/note")
			same(t, again.dots(), []string{"a:2:0", "offline:1:0"})
			same(t, again.Values[1].Reason, "looked again")
			a.write(resolve(again, `"r"`, again.dots()...))
			v.document(`{"items":{"I":{"note":"r"}}}`)
			v.disputed()
		}},
		{"two reviewers who press the button at the same moment", reviewersAtOnce},
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
			same(t, v.send("tech1", batch{
				client: "a", number: 2,
				changes: []string{resolve(foreign, "3", c.dots()...)},
			}).statuses(), "rejected")
		}},
		{"every sibling tells who, with what, when, and when it came", siblingsTell},
	})
}

func siblingsTell(t *testing.T, v *visit) {
	v.send("tech1", batch{client: "a", number: 1, changes: []string{
		`{"op":"set","path":"` + pressure +
			`","value":1180.0,"captured_at":"2026-11-20T03:12:44.5Z","instrument":{"id":"G-17","calibrated_until":"2027-03-01"},"source":"typed"}`,
	}})
	v.send("tech2", batch{changes: []string{set(pressure, "1200")}})
	values := v.pull("engineer", "").conflictAt(t, pressure).Values
	i := slices.IndexFunc(values, func(s sibling) bool { return s.Dot == "a:1:0" })
	s, naive := values[i], values[1-i]
	same(t, []any{s.User, s.Client, string(s.Value), s.Op, string(s.Instrument)},
		[]any{"tech1", "a", "1180.0", "set", `{"calibrated_until":"2027-03-01","id":"G-17"}`})
	same(t, s.CapturedAt.Format("2006-01-02T15:04:05.0Z07:00"), "2026-11-20T03:12:44.5Z")
	same(t, []any{naive.User, naive.Client, naive.Dot, naive.CapturedAt == nil}, []any{"tech2", "", "~tech2:1:0", true})
	if naive.ReceivedAt.Before(s.ReceivedAt) || s.ReceivedAt.IsZero() {
		t.Errorf("received at %s and %s", s.ReceivedAt, naive.ReceivedAt)
	}
}

func reviewersAtOnce(t *testing.T, v *visit) {
	a, b := v.pair()
	for i := range 10 {
		path := fmt.Sprintf("/items/I/measurements/m%d", i)
		a.write(set(path, "1"))
		b.write(set(path, "2"))
		c := a.look().conflictAt(t, path)
		b.look()
		a.number++
		b.number++
		answers := make(chan *httptest.ResponseRecorder)
		for _, p := range []struct {
			*tablet
			value string
		}{{a, "1"}, {b, "2"}} {
			own := *p.visit
			post := p.batch(p.number, resolve(c, p.value, c.dots()...))
			post.key = fmt.Sprint(v.id, p.client, i)
			go func() { answers <- own.post(p.user, post) }()
		}
		for range 2 {
			var r receipt
			into(t, <-answers, &r)
			same(t, r.statuses(), "applied")
		}
		both := a.look().conflictAt(t, path)
		same(t, []int{both.Count, len(a.look().Conflicts)}, []int{2, 1})
		for _, s := range both.Values {
			same(t, []string{s.Op, s.Reason}, []string{"resolve", "looked again"})
		}
		a.write(resolve(both, "2", both.dots()...))
		v.disputed()
	}
}

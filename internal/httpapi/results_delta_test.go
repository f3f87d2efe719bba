package httpapi

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"firemode/internal/httpkit/httpkittest"
)

func TestResults_DeltaDeliversWhatChanged(t *testing.T) {
	play(t, []scenario{
		{"pages come to what the whole document is", func(t *testing.T, v *visit) {
			a, b := v.pair()
			a.write(set("/i/a", "1"), set("/i/b", "2"), set("/j", "3"))
			r := newReplica(v)
			for i := range 7 {
				b.write(set(fmt.Sprintf("/k/%d", i), "1"), set("/i/a", fmt.Sprint(i)), remove("/j"))
			}
			b.look()
			b.write(remove("/i/b"), set("/j", "4"))
			r.follow(v, 4)
			if r.pages < 4 {
				t.Errorf("%d pages", r.pages)
			}
			r.wantWhole(t, v.pull("engineer", ""))
			same(t, string(v.since("engineer", "", r.cursor).Document), `{}`)
		}},
		{"what shows nothing any more is told as removed", func(t *testing.T, v *visit) {
			a, _ := v.pair()
			a.write(set("/i/a", "1"), set("/i/b/c", "2"), set("/j", "3"))
			cursor := a.look().Cursor
			a.write(remove("/i"))
			d := v.since("tech1", "a", cursor)
			same(t, []any{string(d.Document), fmt.Sprint(d.Removed), d.Complete}, []any{`{}`, "[/i /i/a /i/b/c]", true})
		}},
		{"a child that hides a value uncovers the children beside it", func(t *testing.T, v *visit) {
			a, b := v.pair()
			a.write(set("/i/a", "1"))
			b.write(set("/i", `"all"`))
			r := newReplica(v)
			same(t, fmt.Sprint(r.document), "map[i:all]")
			b.write(set("/i/b", "2"))
			same(t, string(v.since("engineer", "", r.cursor).Document), `{"i":{"a":1,"b":2}}`)
			r.follow(v, 10)
			r.wantWhole(t, v.pull("engineer", ""))
		}},
		{"conflicts above and below what changed come with it", func(t *testing.T, v *visit) {
			a, b := v.pair()
			a.write(set("/i/a", "1"), set("/i/b", "1"), set("/k", "1"))
			b.write(set("/i/a", "2"), set("/k", "2"))
			cursor := v.pull("engineer", "").Cursor
			v.send("tech2", batch{client: "c", number: 1, changes: []string{set("/i", `"all"`)}})
			d := v.since("engineer", "", cursor)
			same(t, d.disputes(), []string{`shape /i "all" /i/a2 /i/b1 /i/a1`, `value /i/a 2 1`})
			same(t, append(d.disputes(), `value /k 2 1`), v.pull("engineer", "").disputes())
		}},
		{"a delta delivers when what came before it was delivered, and not otherwise", deltaDelivers},
		{"the page that completes a walk delivers, for the client that took the walk alone", walkDelivers},
		{"a cursor of another session, or one that was tampered with, is refused", func(t *testing.T, v *visit) {
			other := &visit{world: v.world, id: v.session(t, v.id+"-other")}
			for _, x := range []*visit{v, other} {
				x.send("tech1", batch{changes: []string{set("/x", "1")}})
			}
			good := v.pull("tech1", "").Cursor
			list := v.get(http.StatusOK, as("tech1", "GET", v.path("/items?limit=1")))["next_cursor"].(string)
			for _, cursor := range []string{
				other.pull("tech1", "").Cursor, list, "x", good + "A", good[:len(good)-2],
				strings.ToUpper(good), "AAAA" + good[4:], strings.Repeat("A", 5000),
			} {
				p := httpkittest.WantProblem(t, v.do(as("tech1", "GET", v.path("/results?since="+cursor))), http.StatusBadRequest)
				same(t, p.Details[0].Field, "cursor")
			}
			httpkittest.WantProblem(t, v.do(as("tech1", "GET", v.path("/results?since="+good+"&limit=0"))),
				http.StatusBadRequest)
		}},
	})
}

func deltaDelivers(t *testing.T, v *visit) {
	a, b := v.pair()
	b.write(set("/x", "1"))
	cursor := v.pull("tech1", "").Cursor
	b.write(set("/y", "1"))
	v.since("tech1", "a", cursor)
	a.seen = map[string]int64{"b": 2}
	same(t, a.write(set("/x", "2")).Clock, map[string]int64{"a": 1})
	cursor = v.pull("tech1", "a").Cursor
	b.write(set("/z", "1"))
	v.since("tech1", "a", cursor)
	a.seen = map[string]int64{"b": 3}
	same(t, a.write(set("/z", "2")).Clock, map[string]int64{"a": 2, "b": 3})
	v.disputed(`value /x 2 1`)
}

func walkDelivers(t *testing.T, v *visit) {
	a, b := v.pair()
	first := a.look().Cursor
	v.pull("tech1", "other")
	for i := range 4 {
		b.write(set(fmt.Sprintf("/x%d", i), "1"))
	}
	page := v.pullFrom("tech1", "a", "/results?limit=2&since="+first)
	same(t, []any{page.Complete, page.Clock["b"]}, []any{false, int64(2)})
	a.seen = map[string]int64{"b": 2}
	same(t, a.write().Clock, map[string]int64{"a": 1})
	// Another client that goes on with the pages of a has not been given the first.
	v.pullFrom("tech1", "other", "/results?limit=100&since="+page.Cursor)
	r := v.send("tech1", batch{client: "other", number: 1, seen: map[string]int64{"b": 4}})
	same(t, r.Clock, map[string]int64{"other": 1})
	last := v.pullFrom("tech1", "a", "/results?limit=100&since="+page.Cursor)
	same(t, last.Complete, true)
	a.seen = map[string]int64{"b": 4}
	same(t, a.write(remove("/x0")).Clock, map[string]int64{"a": 2, "b": 4})
	// And the next delta goes on from there.
	b.write(set("/y", "1"))
	v.since("tech1", "a", last.Cursor)
	a.seen = map[string]int64{"b": 5}
	same(t, a.write(remove("/y")).Clock, map[string]int64{"a": 3, "b": 5})
	v.disputed()
}

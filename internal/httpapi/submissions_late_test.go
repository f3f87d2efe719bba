package httpapi

import (
	"net/http"
	"testing"
)

func TestSubmit_AfterCompletion_Late(t *testing.T) {
	play(t, []scenario{
		{
			"they are kept and listed outside the document, and merged when the session is reopened",
			func(t *testing.T, v *visit) {
				v.accountFor()
				v.complete()
				b := batch{
					client: "tab", number: 1, key: "late",
					changes: []string{set("/x", "1"), set("bad", "1"), set("/items/site-GN/note", `"late"`)},
				}
				r := v.send("tech1", b)
				same(t, []any{r.Status, r.statuses(), r.Applied}, []any{"late", "applied rejected applied", 2})
				same(t, r.Clock, map[string]int64{"tab": 1})
				v.document(`{` + accounted + `}`)
				a := v.pull("tech1", "tab")
				same(t, a.Clock, map[string]int64{"~u-engineer": 1})
				same(t, len(a.Late), 1)
				same(t, []any{a.Late[0].Client, a.Late[0].Number, a.Late[0].User}, []any{"tab", int64(1), "tech1"})
				status := v.get(http.StatusOK, as("tech1", "GET", v.path("/sync_status")))
				same(t, []any{status["late_count"], status["sequence"]}, []any{1.0, 3.0})
				v.reopen()
				v.document(`{"items":{"site-EP":{"outcome":"pass"},"site-GN":{"note":"late","outcome":"pass"},"site-PS":{"outcome":"not_applicable"}},"x":1}`)
				after := v.pull("tech1", "tab")
				same(t, after.Clock, map[string]int64{"~u-engineer": 1, "tab": 1})
				same(t, len(after.Late), 0)
				same(t, v.get(http.StatusOK, as("tech1", "GET", v.path("/sync_status")))["late_count"], any(0.0))
			},
		},
		{
			"a late batch that comes again is late again, and known as merged after the reopening",
			func(t *testing.T, v *visit) {
				v.accountFor()
				v.complete()
				b := batch{client: "tab", number: 1, changes: []string{set("/x", "1"), set("bad", "1")}}
				v.send("tech1", b)
				again := v.send("tech1", b)
				same(t, []any{again.Status, again.statuses(), again.Applied, again.Duplicates},
					[]any{"late", "duplicate rejected", 0, 1})
				v.forked("tech1", batch{client: "tab", number: 1, changes: []string{set("/x", "2")}})
				v.reopen()
				again = v.send("tech1", b)
				same(t, []any{again.Status, again.statuses()}, []any{"merged", "duplicate rejected"})
			},
		},
		{"late results, pulled and then overwritten after the reopening", func(t *testing.T, v *visit) {
			a, b := v.pair()
			v.accountFor()
			v.complete()
			v.send("tech2", b.batch(1, set("/x", "1")))
			same(t, len(a.look().Late), 1)
			v.reopen()
			a.seen = map[string]int64{"b": 1}
			same(t, a.write(set("/x", "2")).Clock, map[string]int64{"a": 1})
			v.disputed(`value /x 2 1`)
			a.look()
			a.write(set("/x", "3"))
			v.disputed()
		}},
		{"late batches out of order and across the completion come to what they would have", func(t *testing.T, v *visit) {
			a, b := v.pair()
			v.accountFor()
			a.write(set("/x", "1"), set("/y", "1"))
			v.complete()
			v.send("tech1", a.batch(3, set("/x", "3")))
			v.send("tech2", b.batch(1, set("/y", "2"), increment("/n", "2")))
			same(t, len(v.send("tech1", a.batch(2, remove("/x"), set("/y", "4"))).Missing), 0)
			v.send("tech1", batch{client: "n", changes: []string{increment("/n", "1")}})
			v.reopen()
			v.document(`{` + accounted + `,"n":3,"x":3,"y":4}`)
			v.disputed(`value /y 4 2`)
			same(t, v.pull("tech1", "").Clock, map[string]int64{"a": 3, "b": 1, "n~s": 1, "~u-engineer": 1})
		}},
		{"a late resolve settles what it settled when it came", func(t *testing.T, v *visit) {
			a, b := v.pair()
			a.write(set("/items/I/note", `"p"`))
			b.write(set("/items/I/note", `"q"`))
			c := a.look().conflictAt(t, "/items/I/note")
			v.accountFor()
			same(t, v.patch("manager", `{"status":"completed"}`).Code, http.StatusConflict)
			a.write(resolve(c, `"p"`, c.dots()...))
			v.complete()
			r := b.write(resolve(c, `"q"`, c.dots()...))
			same(t, []any{r.Status, r.statuses()}, []any{"late", "applied"})
			v.disputed()
			v.reopen()
			v.disputed(`value /items/I/note "q" "p"`)
		}},
		{"a delta from before the reopening brings what was late", func(t *testing.T, v *visit) {
			a, b := v.pair()
			v.accountFor()
			v.complete()
			cursor := a.look().Cursor
			b.write(set("/x", "1"))
			between := v.since("tech1", "a", cursor)
			same(t, []any{string(between.Document), len(between.Late)}, []any{`{}`, 1})
			v.reopen()
			after := v.since("tech1", "a", between.Cursor)
			same(t, []any{string(after.Document), len(after.Late)}, []any{`{"x":1}`, 0})
			same(t, v.pull("engineer", "").disputes(), nil)
		}},
		{"a gap that is closed late is no gap", func(t *testing.T, v *visit) {
			a, _ := v.pair()
			v.accountFor()
			v.send("tech1", a.batch(2, set("/x", "2")))
			v.patched(`{"status":"completed","accept_gaps":true,"reason":"the tablet fell into the tank"}`)
			r := v.send("tech1", a.batch(1, set("/x", "1")))
			same(t, []any{r.Status, len(r.Missing)}, []any{"late", 0})
			status := v.get(http.StatusOK, as("tech1", "GET", v.path("/sync_status")))
			same(t, []any{status["gap_count"], status["late_count"]}, []any{0.0, 1.0})
			v.reopen()
			v.document(`{` + accounted + `,"x":2}`)
			v.disputed()
		}},
		{"a correction and the reading it corrects may both be late", func(t *testing.T, v *visit) {
			a, _ := v.pair()
			v.accountFor()
			v.complete()
			same(t, v.send("tech1", a.batch(2, correct("/x", "2", "a:1:0"))).statuses(), "applied")
			same(t, v.send("tech1", a.batch(1, set("/x", "1"))).statuses(), "applied")
			v.reopen()
			v.document(`{` + accounted + `,"x":2}`)
			v.disputed()
		}},
	})
}

// accountFor gives every item of a visit to the bare building an outcome, so that the session can
// be completed.
func (v *visit) accountFor() {
	v.t.Helper()
	r := v.send("engineer", batch{changes: []string{
		set("/items/site-GN/outcome", `"pass"`), set("/items/site-PS/outcome", `"not_applicable"`),
		set("/items/site-EP/outcome", `"pass"`),
	}})
	same(v.t, r.statuses(), "applied applied applied")
}

const accounted = `"items":{"site-EP":{"outcome":"pass"},"site-GN":{"outcome":"pass"},"site-PS":{"outcome":"not_applicable"}}`

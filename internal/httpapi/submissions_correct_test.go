package httpapi

import (
	"strings"
	"testing"
)

func TestSubmit_CorrectReplacesTheOwnChange(t *testing.T) {
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
			r := a.write(correct("/x", "9", "a:2:0"), correct("/x", "9", "a:2:2"), correct("/y", "9", "a:1:0"),
				correct("/x", "9", "a:3:0"),
				correct("/x", "9", "a:1:1"), correct("/x", "9", "nobody:1:0"),
				strings.Replace(correct("/x", "9", "a:1:0"), "misread", "", 1),
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
			r := v.send("tech1", batch{client: "n", changes: []string{
				correct("/x", "2", "n~s:1:0"),
				correct("/y", "2", "b:1:0"), correct("/x", "3", "n~s:2:0"),
			}})
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

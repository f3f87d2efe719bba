package httpapi

import (
	"fmt"
	"testing"
)

func TestSubmit_Operations(t *testing.T) {
	play(t, []scenario{
		{"sets that did not know of each other differ, or agree", func(t *testing.T, v *visit) {
			a, b := v.pair()
			a.write(set("/x", "12.5"), set("/y", `"p"`), set("/z", "[1,2]"))
			r := b.write(set("/x", "12.50"), set("/y", `"q"`), set("/z", "[1.0,2]"))
			same(t, []any{len(r.Conflicts), r.Conflicts[0].String()}, []any{1, `value /y "q" "p"`})
			v.disputed(`value /y "q" "p"`)
			b.look()
			b.write(set("/x", "13"))
			v.disputed(`value /y "q" "p"`)
		}},
		{
			"of an agreement both readings are kept: who has seen one of them disagrees with the other",
			func(t *testing.T, v *visit) {
				a, b := v.pair()
				a.write(set("/x", "1"))
				c := v.tablet("engineer", "c")
				c.look()
				b.write(set("/x", "1.0"))
				v.disputed()
				c.write(set("/x", "2"))
				v.disputed(`value /x 2 1.0`)
				same(t, v.pull("engineer", "").conflictAt(t, "/x").dots(), []string{"b:1:0", "c:1:0"})
			},
		},
		{"what arrives superseded is in the history", func(t *testing.T, v *visit) {
			a, _ := v.pair()
			v.send("tech1", a.batch(2, set("/x", "2")))
			same(t, v.send("tech1", a.batch(1, set("/x", "1"))).statuses(), "superseded")
			all := v.list(v.path("/history?path=/x"))
			same(t, fmt.Sprint(field(all, "dot"), field(all, "value"), field(all, "live")), "[a:1:0 a:2:0] [1 2] [false true]")
		}},
		{"a later change of a path in one batch supersedes the earlier", func(t *testing.T, v *visit) {
			a, _ := v.pair()
			same(t, a.write(set("/x", "1"), set("/x", "2"), remove("/x"), set("/x", "3")).statuses(),
				"superseded superseded superseded applied")
			v.document(`{"x":3}`)
		}},
		{"remove takes what its writer had seen there and below, and disputes with the rest", func(t *testing.T, v *visit) {
			a, b := v.pair()
			a.write(set("/i/a", "1"), set("/i/b/c", "2"), set("/j", "3"))
			b.look()
			a.write(set("/i/b/d", "4"))
			b.write(remove("/i"))
			v.document(`{"i":{"b":{"d":4}},"j":3}`)
			v.disputed(`removed /i /i/b/d4 null`)
			b.look()
			b.write(remove("/i"))
			v.document(`{"j":3}`)
			v.disputed()
		}},
		{"a value beside a removal that had not seen it is shown", func(t *testing.T, v *visit) {
			a, b := v.pair()
			a.write(set("/x", "1"))
			b.look()
			b.write(remove("/x"))
			a.write(set("/x", "2"))
			v.document(`{"x":2}`)
			v.disputed(`removed /x 2 null`)
		}},
		{"remove a parent, then set its child", func(t *testing.T, v *visit) {
			a, _ := v.pair()
			a.write(set("/i/a", "1"), set("/i/b", "2"))
			a.write(remove("/i"))
			a.write(set("/i/a", "3"))
			v.document(`{"i":{"a":3}}`)
			v.disputed()
		}},
		{"a value beside children", func(t *testing.T, v *visit) {
			a, b := v.pair()
			a.write(set("/i/a", "1"))
			b.write(set("/i", `"all"`))
			v.document(`{"i":"all"}`)
			v.disputed(`shape /i "all" /i/a1`)
			a.look()
			a.write(set("/i/b", "2"))
			v.document(`{"i":{"a":1,"b":2}}`)
			v.disputed(`shape /i "all" /i/a1`)
			a.look()
			a.write(set("/i/a", "3"))
			v.document(`{"i":{"a":3,"b":2}}`)
			v.disputed()
		}},
		{
			"an object is merged leaf by leaf, an array is one value, null is a value, an empty object is nothing",
			func(t *testing.T, v *visit) {
				a, b := v.pair()
				a.write(set("/i", `{"a":1,"b":{"c/~":2,"d":null}}`))
				r := b.write(set("/i", `{"a":9,"e":[{}, {"f":[]}]}`), set("/j", `{}`), set("/j", `{"k":{}}`))
				same(t, r.statuses(), "applied rejected rejected")
				v.document(`{"i":{"a":9,"b":{"c/~":2,"d":null},"e":[{},{"f":[]}]}}`)
				v.disputed(`value /i/a 9 1`)
			},
		},
		{"append adds a child of its own each time, and never disputes", func(t *testing.T, v *visit) {
			a, b := v.pair()
			a.write(appendTo("/log", `"one"`), appendTo("/log", `"one"`))
			b.write(appendTo("/log", `{"by":"b","n":[1]}`))
			v.send("tech1", batch{changes: []string{appendTo("/log", `"naive"`)}})
			v.document(`{"log":{"a:1:0":"one","a:1:1":"one","b:1:0":{"by":"b","n":[1]},"~tech1:1:0":"naive"}}`)
			v.disputed()
			b.look()
			b.write(remove("/log/a:1:1"), correct("/log/a:1:0", `"two"`, "a:1:0"))
			v.document(`{"log":{"a:1:0":"two","b:1:0":{"by":"b","n":[1]},"~tech1:1:0":"naive"}}`)
			v.disputed()
		}},
		{"increments are added exactly, and never dispute with each other", func(t *testing.T, v *visit) {
			a, b := v.pair()
			for range 3 {
				a.write(increment("/n", "0.1"))
				b.write(increment("/n", "100000000000000000000000000000000"))
			}
			a.write(increment("/n", "-0.2"), increment("/m", "1"), increment("/m", "2e2"))
			v.document(`{"m":201,"n":300000000000000000000000000000000.1}`)
			v.disputed()
		}},
		{"set 10 then increment 1 by one writer", func(t *testing.T, v *visit) {
			a, b := v.pair()
			a.write(set("/n", "10"), increment("/n", "1"))
			a.write(increment("/n", "2.50"))
			b.look()
			b.write(increment("/n", "-1"))
			v.document(`{"n":12.5}`)
			v.disputed()
			a.write(set("/n", "20"))
			v.document(`{"n":19}`)
			v.disputed(`value /n 20 -1`)
		}},
		{"a set that has seen increments covers them, one that has not is flagged", func(t *testing.T, v *visit) {
			a, b := v.pair()
			a.write(increment("/n", "3"))
			b.look()
			b.write(set("/n", "10"))
			v.document(`{"n":10}`)
			v.disputed()
			a.write(increment("/n", "1"))
			v.document(`{"n":11}`)
			v.disputed(`value /n 1 10`)
			a.look()
			a.write(remove("/n"))
			v.document(`{}`)
			v.disputed()
		}},
		{"an increment beside a removal that had not seen it is flagged", func(t *testing.T, v *visit) {
			a, b := v.pair()
			a.write(set("/n", "3"))
			b.look()
			b.write(remove("/n"))
			a.write(increment("/n", "4"))
			v.document(`{"n":4}`)
			v.disputed(`removed /n 4 null`)
		}},
		{"beside a value that is no number the value shows", func(t *testing.T, v *visit) {
			a, _ := v.pair()
			a.write(set("/n", `"ten"`), increment("/n", "1"))
			v.document(`{"n":"ten"}`)
			v.disputed(`type /n 1 "ten"`)
		}},
		{"one value in two paths of a batch in conflict at once (two ids)", func(t *testing.T, v *visit) {
			a, b := v.pair()
			a.write(set("/x", "1"), set("/y", "1"))
			b.write(set("/x", "2"), set("/y", "2"))
			both := a.look()
			x, y := both.conflictAt(t, "/x"), both.conflictAt(t, "/y")
			if x.ID == y.ID {
				t.Error("two conflicts have one id")
			}
			moved := x
			moved.Path = "/y"
			same(t, a.write(resolve(moved, "1", y.dots()...)).statuses(), "rejected")
			same(t, a.write(resolve(x, "1", x.dots()...), resolve(y, "2", y.dots()...)).statuses(), "applied applied")
			v.document(`{"x":1,"y":2}`)
			v.disputed()
		}},
		{"an object in dispute at two of its leaves is settled leaf by leaf", func(t *testing.T, v *visit) {
			a, b := v.pair()
			a.write(set("/i", `{"a":1,"b":1,"c":1}`))
			b.write(set("/i", `{"a":2,"b":2}`))
			both := a.look()
			same(t, both.disputes(), []string{`value /i/a 2 1`, `value /i/b 2 1`})
			at := both.conflictAt(t, "/i/a")
			same(t, a.write(resolve(at, "1", at.dots()...)).statuses(), "applied")
			v.document(`{"i":{"a":1,"b":2,"c":1}}`)
			v.disputed(`value /i/b 2 1`)
		}},
		{"an answer to a POST shows at most 20 values of a conflict, a GET all of them", func(t *testing.T, v *visit) {
			for i := range 25 {
				v.send("tech1", batch{client: fmt.Sprintf("c%d", i), number: 1, changes: []string{set("/x", fmt.Sprint(i))}})
			}
			c := v.send("tech2", batch{changes: []string{set("/x", "99")}}).Conflicts[0]
			same(t, []int{c.Count, len(c.Values)}, []int{26, 20})
			all := v.pull("engineer", "").conflictAt(t, "/x")
			same(t, []int{all.Count, len(all.Values)}, []int{26, 26})
			same(t, all.ID, c.ID)
		}},
	})
}

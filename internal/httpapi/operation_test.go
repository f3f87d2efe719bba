package httpapi

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// tablet is a client that counts, of one technician.
type tablet struct {
	*visit
	user, client string
	number       int64
	seen         map[string]int64 // of others, as the last pull told
}

func (v *visit) tablet(user, client string) *tablet {
	return &tablet{visit: v, user: user, client: client}
}

// write sends the next batch, which must be taken.
func (p *tablet) write(changes ...string) receipt {
	p.t.Helper()
	p.number++
	return p.send(p.user, p.batch(p.number, changes...))
}

func (p *tablet) batch(number int64, changes ...string) batch {
	return batch{client: p.client, number: number, seen: p.seen, changes: changes}
}

// look reads the document, which is thereby delivered.
func (p *tablet) look() merged {
	p.t.Helper()
	a := p.pull(p.user, p.client)
	p.seen = a.Clock
	return a
}

// pair are the tablets of two technicians.
func (v *visit) pair() (a, b *tablet) { return v.tablet("tech1", "a"), v.tablet("tech2", "b") }

func TestOperations(t *testing.T) {
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
		{"a later change of a path in one batch supersedes the earlier", func(t *testing.T, v *visit) {
			a, _ := v.pair()
			same(t, a.write(set("/x", "1"), set("/x", "2"), remove("/x"), set("/x", "3")).statuses(), "superseded superseded superseded applied")
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
		{"an object is merged leaf by leaf, an array is one value, null is a value, an empty object is nothing", func(t *testing.T, v *visit) {
			a, b := v.pair()
			a.write(set("/i", `{"a":1,"b":{"c/~":2,"d":null}}`))
			r := b.write(set("/i", `{"a":9,"e":[{}, {"f":[]}]}`), set("/j", `{}`), set("/j", `{"k":{}}`))
			same(t, r.statuses(), "applied rejected rejected")
			v.document(`{"i":{"a":9,"b":{"c/~":2,"d":null},"e":[{},{"f":[]}]}}`)
			v.disputed(`value /i/a 9 1`)
		}},
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

func TestLimitsOfChanges(t *testing.T) {
	play(t, []scenario{
		{"a bad change is answered as rejected, and the others apply", func(t *testing.T, v *visit) {
			a, _ := v.pair()
			r := a.write(set("/x", "1"), `{"op":"multiply","path":"/x","value":2}`, `7`, `{"op":"set","path":"/x"}`, `{"op":"set","value":1}`,
				`{"op":"set","path":7,"value":1}`, increment("/x", `"1"`), `{"op":"increment","path":"/x"}`, `{"op":"resolve","path":"/x"}`, set("/y", "2"))
			same(t, r.statuses(), "applied rejected rejected rejected rejected rejected rejected rejected rejected applied")
			for _, c := range r.Results {
				if c.Status == "rejected" && c.Reason == "" {
					t.Errorf("change %d is rejected without a reason", c.Index)
				}
			}
			same(t, r.Applied, 2)
			v.document(`{"x":1,"y":2}`)
		}},
		{"an atomic batch applies whole or not at all, and may be sent again", func(t *testing.T, v *visit) {
			a, _ := v.pair()
			b := a.batch(1, set("/x", "1"), set("bad", "1"))
			b.atomic, b.key = true, "atomic"
			p := v.refused("tech1", http.StatusUnprocessableEntity, b)
			same(t, p.Details, []problemDetail{{Field: "changes[1]", Reason: "the path must begin with /"}})
			v.document(`{}`)
			same(t, v.pull("tech1", "").Clock, map[string]int64{})
			b.changes[1], b.key = set("/good", "1"), "mended"
			same(t, v.send("tech1", b).statuses(), "applied applied")
		}},
		{"every path that is not canonical is refused, never repaired", func(t *testing.T, v *visit) {
			bad := []string{
				"", "/", "x", "x/y", "#/x", "//", "/x/", "//x", "/x//y", "/x~", "/x~2", "/~", "/x/~/y", "/a\x00", "/a\u0085", "/a\n",
				strings.Repeat("/s", 17), "/" + strings.Repeat("x", 512), "/" + strings.Repeat("é", 256),
			}
			var changes []string
			for _, path := range bad {
				changes = append(changes, fmt.Sprintf(`{"op":"set","path":%s,"value":1}`, quoted(t, path)))
			}
			r := v.tablet("tech1", "a").write(changes...)
			same(t, r.statuses(), strings.TrimSpace(strings.Repeat("rejected ", len(bad))))
			v.document(`{}`)
			good := []string{strings.Repeat("/s", 16), "/" + strings.Repeat("x", 511), "/~0~1", "/ ", "/0", "/-", "/é", "/constructor"}
			for i, path := range good {
				good[i] = set(path, "1")
			}
			same(t, v.send("tech2", batch{changes: good}).statuses(), strings.TrimSpace(strings.Repeat("applied ", len(good))))
		}},
		{"an object leads to no path that would be refused", func(t *testing.T, v *visit) {
			r := v.tablet("tech1", "a").write(set("/x", `{"":1}`), set("/x", `{"a\u0000":1}`), set(strings.Repeat("/s", 16), `{"a":1}`),
				appendTo(strings.Repeat("/s", 16), "1"), appendTo("/"+strings.Repeat("x", 480), "1"))
			same(t, r.statuses(), "rejected rejected rejected rejected rejected")
		}},
		{"numbers are kept as they are written, up to 34 digits and exponents of 64", func(t *testing.T, v *visit) {
			long := strings.Repeat("1234567890", 3) + "1234"
			r := v.tablet("tech1", "a").write(set("/a", long), set("/b", "-0."+long), set("/c", "1e64"), set("/d", "1.50E-64"), set("/e", "-0"),
				set("/f", long+"5"), set("/g", "1e65"), set("/h", "1e-65"), set("/i", "[1e65]"), set("/j", `{"k":`+long+`5}`), increment("/k", "1e65"))
			same(t, r.statuses(), "applied applied applied applied applied rejected rejected rejected rejected rejected rejected")
			v.document(`{"a":` + long + `,"b":-0.` + long + `,"c":1e64,"d":1.50E-64,"e":-0}`)
		}},
		{"a value has at most 64 KiB and is at most 32 deep", func(t *testing.T, v *visit) {
			text := func(n int) string { return `"` + strings.Repeat("x", n-2) + `"` }
			deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
			r := v.tablet("tech1", "a").write(set("/a", text(64<<10)), set("/b", text(64<<10+1)), set("/c", deep(32)), set("/d", deep(33)))
			same(t, r.statuses(), "applied rejected applied rejected")
		}},
		{"a batch has at most 5000 changes", func(t *testing.T, v *visit) {
			changes := make([]string, 5001)
			for i := range changes {
				changes[i] = set(fmt.Sprintf("/items/I-%d/note", i%100), `"x"`)
			}
			p := v.refused("tech1", http.StatusUnprocessableEntity, batch{client: "a", number: 1, changes: changes})
			if !strings.Contains(p.Message, "5000") {
				t.Errorf("the message does not name the limit: %s", p.Message)
			}
			same(t, v.send("tech1", batch{client: "a", number: 1, changes: changes[1:]}).Applied, 5000)
		}},
		{"keys that are there twice or in another case make the whole body unreadable", func(t *testing.T, v *visit) {
			for i, body := range []string{
				`{"changes":[],"changes":[]}`, `{"changes":[],"Changes":[]}`, `{"Changes":[]}`, `{"changes":[],"_sync_meta":{"Client_ID":"a"}}`,
				`{"changes":[],"_sync_meta":{"client_id":"a","client_id":"b"}}`, `{"changes":[],"_sync_meta":{"vector_clock":{"a":1,"a":2}}}`,
				`{"changes":[{"op":"set","path":"/x","value":1,"value":2}]}`, `{"changes":[{"op":"set","Path":"/x","path":"/y","value":1}]}`,
				`{"changes":[{"op":"set","path":"/x","value":{"a":1,"a":2}}]}`, `{"changes":[{"op":"set","path":"/x","VALUE":1}]}`,
				`{"changes":[{"op":"set","path":"/x","value":1}],"ATOMIC":true}`, `{"changes":[`, `{"changes":[{"op":"set","path":"/\ud800","value":1}]}`,
				"{\"changes\":[{\"op\":\"set\",\"path\":\"/\xff\",\"value\":1}]}",
			} {
				q := as("tech1", "POST", v.path("/results"), body)
				q.header = map[string]string{"Idempotency-Key": fmt.Sprint(i)}
				wantProblem(t, v.do(q), http.StatusBadRequest)
			}
			for i, body := range []string{`{}`, `{"changes":null}`, `{"changes":{}}`, `[]`, `{"changes":[],"_sync_meta":[]}`, `{"changes":[],"_sync_meta":{"client_id":7}}`, `{"changes":[],"_sync_meta":{"sent_at":"now"}}`, `{"changes":[],"atomic":1}`} {
				q := as("tech1", "POST", v.path("/results"), body)
				q.header = map[string]string{"Idempotency-Key": fmt.Sprint("later", i)}
				wantProblem(t, v.do(q), http.StatusUnprocessableEntity)
			}
			v.document(`{}`)
		}},
		{"without an Idempotency-Key nothing is taken", func(t *testing.T, v *visit) {
			wantProblem(t, v.do(as("tech1", "POST", v.path("/results"), `{"changes":[]}`)), http.StatusBadRequest)
		}},
	})
}

package httpapi

import (
	"fmt"
	"testing"
)

// TestSubmit_CasesThatBrokeDrafts are the cases that the merge design names because earlier drafts
// of it failed them. Those that belong to one operation stand with it.
func TestSubmit_CasesThatBrokeDrafts(t *testing.T) {
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
			// The answer was delivered as far as the server can know, but the phone's clock does
			// not claim it: nothing is hidden.
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
			// The clone did not wait for the answer: its next number is free here, but does not
			// follow from what is held.
			fresh := v.forked("tech1", batch{client: "a", number: 3, id: "3b", prev: "2b", changes: []string{set("/y", "33")}})
			v.document(`{"x":2}`)
			v.send("tech1", batch{
				client: fresh, number: 1, id: "3b", prev: "2b",
				changes: []string{set("/y", "33"), set("/x", "33")},
			})
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

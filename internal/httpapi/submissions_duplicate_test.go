package httpapi

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestSubmit_DuplicatesAndRetries holds what happens to a number that is known, or that does not
// fit, to the table of the merge design.
func TestSubmit_DuplicatesAndRetries(t *testing.T) {
	first := batch{client: "tab", number: 1, id: "one", changes: []string{
		`{"op":"set","path":"/a","value":12.5,"instrument":{"id":"G-17","calibrated_until":"2027-03-01"}}`,
		set("/b", `{"c":[1,2],"d":"é"}`),
	}}
	play(t, []scenario{
		{"the same content, however it is written, is a duplicate that changes nothing", func(t *testing.T, v *visit) {
			v.send("tech1", first)
			before := v.pull("engineer", "")
			for i, changes := range [][]string{
				first.changes,
				{
					`{ "value" : 12.50 , "path":"/a","instrument":{"calibrated_until":"2027-03-01","id":"G-17"},"op":"set"}`,
					set("/b", `{"d":"\u00e9","c":[1.0,20e-1]}`),
				},
			} {
				again := first
				again.changes, again.captured, again.sent = changes, time.Now(), time.Now()
				again.seen = map[string]int64{"other": int64(i)}
				r := v.send("tech1", again)
				same(t, []any{r.Status, r.Applied, r.Duplicates, r.statuses()}, []any{"merged", 0, 2, "duplicate duplicate"})
				again.id = ""
				same(t, v.send("tech1", again).statuses(), "duplicate duplicate")
			}
			same(t, v.pull("engineer", ""), before)
		}},
		{"the same key and content is answered byte for byte as before", func(t *testing.T, v *visit) {
			keyed := first
			keyed.key = "again"
			v.send("tech2", batch{client: "b", number: 1, changes: []string{set("/a", "13")}})
			was := v.post("tech1", keyed)
			v.send("tech2", batch{client: "b", number: 2, changes: []string{set("/a", "14")}})
			keyed.sent, keyed.changes = time.Now(), []string{
				strings.Replace(first.changes[0], "12.5", "12.50", 1),
				first.changes[1],
			}
			now := v.post("tech1", keyed)
			same(t, now.Body.String(), was.Body.String())
			same(t, now.Header().Get("Idempotency-Replayed"), "true")
			keyed.id = ""
			same(t, v.post("tech1", keyed).Body.String(), was.Body.String())
			keyed.id = "other"
			v.refused("tech1", http.StatusConflict, keyed)
			keyed.id = "one"
			keyed.changes = []string{set("/a", "99")}
			v.refused("tech1", http.StatusConflict, keyed)
			v.disputed(`value /a 14 12.5`)
		}},
		{
			"other content is that of a copied phone, kept under a fresh id that the same retry gets again",
			func(t *testing.T, v *visit) {
				v.send("tech1", first)
				clone := batch{client: "tab", number: 1, id: "one", changes: []string{set("/a", "99")}}
				fresh := v.forked("tech1", clone)
				same(t, v.forked("tech1", clone), fresh)
				clone.sent = time.Now()
				same(t, v.forked("tech1", clone), fresh)
				clone.changes = []string{set("/a", "98")}
				if other := v.forked("tech1", clone); other == fresh {
					t.Error("two forks have one id")
				}
				v.refused("tech2", http.StatusForbidden, batch{client: fresh, number: 1})
				v.document(`{"a":12.5,"b":{"c":[1,2],"d":"é"}}`)
				v.send("tech1", batch{client: fresh, number: 1, changes: []string{set("/a", "99")}})
				v.disputed(`value /a 99 12.5`)
			},
		},
		{"the same `batch_id` with one more change", func(t *testing.T, v *visit) {
			v.send("tech1", first)
			more := first
			more.changes = append(slices.Clone(first.changes), set("/e", "1"))
			v.forked("tech1", more)
			v.document(`{"a":12.5,"b":{"c":[1,2],"d":"é"}}`)
		}},
		{"the same content under another batch_id is that of a copied phone", func(t *testing.T, v *visit) {
			v.send("tech1", first)
			other := first
			other.id = "other"
			v.forked("tech1", other)
		}},
		{"a prev_batch_id that does not fit the batch below", func(t *testing.T, v *visit) {
			v.send("tech1", first)
			v.forked("tech1", batch{client: "tab", number: 2, id: "two", prev: "not-one", changes: []string{set("/a", "1")}})
			v.send("tech1", batch{client: "tab", number: 2, id: "two", prev: "one", changes: []string{set("/a", "1")}})
		}},
		{"a batch that the one above did not name", func(t *testing.T, v *visit) {
			v.send("tech1", batch{client: "tab", number: 2, id: "two", prev: "one", changes: []string{set("/a", "2")}})
			v.forked("tech1", batch{client: "tab", number: 1, id: "not-one", changes: []string{set("/a", "1")}})
			same(t, v.send("tech1", first).statuses(), "superseded applied")
		}},
		{"a fresh client sees what its phone had written before the copy, and what it was given", freshContext},
		{"a number more than 10 000 ahead is that of another phone", func(t *testing.T, v *visit) {
			v.forked("tech1", batch{client: "tab", number: 10_001})
			v.send("tech1", first)
			v.forked("tech1", batch{client: "tab", number: 10_002})
			r := v.send("tech1", batch{client: "tab", number: 10_001})
			same(t, r.Missing, [][2]int64{{2, 10_000}})
		}},
		{"a number that jumps is taken, and the gap is answered until it is closed", func(t *testing.T, v *visit) {
			numbers := []int64{4, 6, 2, 1, 5, 3}
			missing := [][][2]int64{{{1, 3}}, {{1, 3}, {5, 5}}, {{1, 1}, {3, 3}, {5, 5}}, {{3, 3}, {5, 5}}, {{3, 3}}, {}}
			for i, n := range numbers {
				r := v.send("tech1", batch{client: "tab", number: n, changes: []string{set(fmt.Sprintf("/n%d", n), "1")}})
				same(t, fmt.Sprint(r.Missing), fmt.Sprint(missing[i]))
				status := v.get(http.StatusOK, as("tech1", "GET", v.path("/sync_status")))
				same(t, status["gap_count"], any(float64(min(1, len(missing[i])))))
			}
			same(t, v.pull("tech1", "").Clock, map[string]int64{"tab": 6})
		}},
		{"a batch with no changes closes a gap", func(t *testing.T, v *visit) {
			v.send("tech1", batch{client: "tab", number: 2, changes: []string{set("/x", "1")}})
			r := v.send("tech1", batch{client: "tab", number: 1})
			same(t, []any{r.Applied, len(r.Results), len(r.Missing)}, []any{0, 0, 0})
			same(t, v.pull("tech1", "").Clock, map[string]int64{"tab": 2})
		}},
		{"what was rejected or superseded is known again as what it was", func(t *testing.T, v *visit) {
			v.send("tech1", batch{client: "tab", number: 2, changes: []string{set("/x", "2")}})
			b := batch{client: "tab", number: 1, changes: []string{set("/x", "1"), set("x", "1")}}
			r := v.send("tech1", b)
			same(t, []any{r.statuses(), r.Applied, r.Duplicates}, []any{"superseded rejected", 1, 0})
			again := v.send("tech1", b)
			same(t, []any{again.statuses(), again.Applied, again.Duplicates}, []any{"duplicate rejected", 0, 1})
			same(t, again.Results[1].Reason, r.Results[1].Reason)
		}},
		{"a rejected change retried under a new key", func(t *testing.T, v *visit) {
			b := batch{client: "tab", number: 1, changes: []string{set("/x", "1"), set("/bad//path", "1")}}
			v.send("tech1", b)
			same(t, v.send("tech1", b).statuses(), "duplicate rejected")
			same(t, v.send("tech1", batch{client: "tab", number: 2, changes: []string{set("/good/path", "1")}}).statuses(),
				"applied")
			v.document(`{"good":{"path":1},"x":1}`)
		}},
	})
}

func freshContext(t *testing.T, v *visit) {
	v.send("tech2", batch{client: "b", number: 1, changes: []string{set("/b", "1")}})
	v.pull("tech1", "tab")
	for n, id := range []string{"one", "two", "three"} {
		prev := []string{"", "one", "two"}[n]
		v.send("tech1", batch{client: "tab", number: int64(n) + 1, id: id, prev: prev, changes: []string{set("/"+id, "1")}})
	}
	// Yesterday's backup knew batches one and two.
	fresh := v.forked("tech1", batch{
		client: "tab", number: 3, id: "3b", prev: "two",
		changes: []string{set("/one", "2"), set("/three", "2"), set("/b", "2")},
	})
	r := v.send("tech1", batch{
		client: fresh, number: 1, id: "3b", prev: "two", seen: map[string]int64{"b": 1, "tab": 3},
		changes: []string{set("/one", "2"), set("/three", "2"), set("/b", "2")},
	})
	same(t, r.Clock, map[string]int64{fresh: 1, "b": 1})
	v.disputed(`value /three 2 1`)
	v.document(`{"b":2,"one":2,"three":2,"two":1}`)
	same(t, slices.Sorted(maps.Keys(v.pull("tech1", "").Clock)), slices.Sorted(slices.Values([]string{"b", fresh, "tab"})))
}

package httpapi

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestHistory_ListsEveryChange(t *testing.T) {
	play(t, []scenario{
		{"every change ever made at a path and below, newest first, page by page", func(t *testing.T, v *visit) {
			a, b := v.pair()
			for i := range 25 {
				a.write(set("/i/n", fmt.Sprint(i)), set("/j", "0"))
			}
			b.write(remove("/i"), set("/i/m", `{"x":1,"y":2}`), set("/in", "1"), set("bad", "1"))
			all := v.list(v.path("/history?path=/i"))
			var told []string
			for _, c := range all {
				told = append(told, fmt.Sprint(c["sequence"], " ", c["op"], " ", c["path"], " ", c["value"], " ", c["dot"], " ",
					c["user"], " ", c["live"]))
			}
			same(t, told[:4], []string{
				"26 set /i/m/y 2 b:1:1 tech2 true", "26 set /i/m/x 1 b:1:1 tech2 true",
				"26 remove /i <nil> b:1:0 tech2 true", "25 set /i/n 24 a:25:0 tech1 true",
			})
			same(t, told[4], "24 set /i/n 23 a:24:0 tech1 false")
			same(t, len(all), 28)
			page := v.get(http.StatusOK, as("tech1", "GET", v.path("/history?path=/i/n")))
			same(t, []any{len(page["data"].([]any)), page["next_cursor"] == nil}, []any{20, false})
			same(t, field(v.list(v.path("/history?path=/nothing")), "path"), nil)
		}},
		{"a walk is not disturbed by what is written meanwhile", func(t *testing.T, v *visit) {
			a, _ := v.pair()
			for i := range 6 {
				a.write(set("/x", fmt.Sprint(i)))
			}
			var values []string
			for path := v.path("/history?path=/x&limit=2"); ; {
				page := v.get(http.StatusOK, as("tech1", "GET", path))
				for _, c := range page["data"].([]any) {
					values = append(values, fmt.Sprint(c.(map[string]any)["value"]))
				}
				next, more := page["next_cursor"].(string)
				if !more {
					break
				}
				path = v.path("/history?path=/x&limit=2&cursor=" + next)
				a.write(set("/x", "99"))
			}
			same(t, strings.Join(values, " "), "5 4 3 2 1 0")
		}},
		{"a resolve and a correct tell what they name and why", func(t *testing.T, v *visit) {
			a, b := v.pair()
			a.write(set("/x", "1"))
			b.write(set("/x", "2"))
			c := a.look().conflictAt(t, "/x")
			a.write(resolve(c, "2", c.dots()...))
			a.write(correct("/x", "3", "a:2:0"))
			all := v.list(v.path("/history?path=/x"))
			same(t, field(all, "op"), []string{"correct", "resolve", "set", "set"})
			same(t, field(all, "dots")[:2], []string{"[a:2:0]", "[a:1:0 b:1:0]"})
			same(t, field(all, "reason")[:2], []string{"misread", "looked again"})
		}},
		{"the document as of a number or a time is what it was then", pastDocuments},
		{"a past document tells of the late batches that had come by then alone", func(t *testing.T, v *visit) {
			a, _ := v.pair()
			v.accountFor()
			v.complete()
			before := v.remember()
			a.write(set("/x", "1"))
			between := v.remember()
			same(t, v.content(fmt.Sprintf("/history?at_seq=%d", before.seq)), before.body)
			same(t, v.content(fmt.Sprintf("/history?at_seq=%d", between.seq)), between.body)
			v.reopen()
			same(t, documentIn(v.content("/history?at="+between.at.UTC().Format(time.RFC3339Nano))), documentIn(between.body))
			same(t, documentIn(v.content(fmt.Sprintf("/history?at_seq=%d", between.seq))), documentIn(between.body))
		}},
		{"a past document delivers nothing, and its cursor leads from there to now", func(t *testing.T, v *visit) {
			a, b := v.pair()
			b.write(set("/x", "1"))
			b.write(set("/y", "1"))
			past := v.pullFrom("tech1", "a", "/history?at_seq=1")
			same(t, string(v.since("tech1", "", past.Cursor).Document), `{"y":1}`)
			a.seen = map[string]int64{"b": 2}
			same(t, a.write(set("/x", "2")).Clock, map[string]int64{"a": 1})
		}},
		{"a place in the log that is none is refused", func(t *testing.T, v *visit) {
			for query, status := range map[string]int{
				"": 400, "?path=": 400, "?path=x": 400, "?path=/": 400, "?path=/a//b": 400, "?path=/x&limit=0": 400,
				"?path=/x&limit=101": 400, "?path=/x&limit=x": 400,
				"?path=/x&cursor=x": 400, "?at_seq=0": 400, "?at_seq=-1": 400, "?at_seq=x": 400, "?at_seq=": 400,
				"?at=yesterday": 400, "?at_seq=1": 422, "?at=2020-01-01T00:00:00Z": 200,
			} {
				if rec := v.do(as("tech1", "GET", v.path("/history"+query))); rec.Code != status {
					t.Errorf("%s: status %d, want %d: %s", query, rec.Code, status, rec.Body)
				}
			}
			same(t, string(v.pullFrom("tech1", "", "/history?at=2020-01-01T00:00:00Z").Document), `{}`)
		}},
	})
}

// moments are what the session answered after each step of a story.
type moments struct {
	seq  int64
	at   time.Time
	body string
}

// remember notes what the session answers now. The cursor and what is told of the log's end may
// differ later and are left out.
func (v *visit) remember() moments {
	v.t.Helper()
	status := v.get(http.StatusOK, as("engineer", "GET", v.path("/sync_status")))
	at := time.Now()
	return moments{int64(status["sequence"].(float64)), at, v.content("/results")}
}

// content is clock, document, conflicts and late batches of an answer, as it was written.
func (v *visit) content(below string) string {
	v.t.Helper()
	body := v.do(as("engineer", "GET", v.path(below))).Body.String()
	clock, _, _ := strings.Cut(body, `,"cursor"`)
	_, rest, found := strings.Cut(body, `"document":`)
	if !found {
		v.t.Fatalf("GET %s: %s", below, body)
	}
	return clock + rest
}

// documentIn is the document of what content told, without the late batches behind it.
func documentIn(content string) string {
	document, _, _ := strings.Cut(content, `,"late"`)
	return document
}

func pastDocuments(t *testing.T, v *visit) {
	a, b := v.pair()
	var all []moments
	steps := []func(){
		func() { a.write(set("/i/a", "1"), set("/i/b", "2"), increment("/n", "1")) },
		func() { b.write(set("/i/a", "3"), increment("/n", "2")) },
		func() { v.send("tech1", a.batch(3, set("/i", `"all"`))) },
		func() { b.look(); b.write(remove("/i/b"), appendTo("/log", `"x"`)) },
		func() { v.send("tech1", a.batch(2, set("/i/c", "4"))) },
		func() {
			c := b.look().conflictAt(t, "/i")
			b.write(resolve(c, `{"a":1}`, c.dots()...))
		},
		func() { v.accountFor() },
		func() { b.look(); b.write(remove("/i"), set("/n", "0")) },
	}
	for _, step := range steps {
		step()
		all = append(all, v.remember())
	}
	for i, m := range slices.Backward(all) {
		same(t, m.seq, int64(i+1))
		same(t, v.content(fmt.Sprintf("/history?at_seq=%d", m.seq)), m.body)
		same(t, v.content("/history?at="+m.at.UTC().Format(time.RFC3339Nano)), m.body)
	}
}

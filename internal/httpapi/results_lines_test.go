package httpapi

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"firemode"
	"firemode/internal/httpkit"
	"firemode/internal/httpkit/httpkittest"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

func TestResults_Lines_SameAsJSON(t *testing.T) {
	play(t, []scenario{
		{"the lines of a document, a delta and a past document say what JSON says", func(t *testing.T, v *visit) {
			v.linesSay("/results")
			a, b := v.pair()
			a.write(set("/i/a", "1.50"), set("/i/b~1c", `{"x":[1,{"y":"é\n"}],"z":null}`), set("/n", "1"), set("/gone/a", "1"))
			cursor := a.look().Cursor
			b.write(set("/i/a", "2"), set("/i", `"all"`), increment("/n", "2"), appendTo("/log", `"x"`))
			a.write(remove("/gone"))
			v.linesSay("/results")
			v.linesSay("/results?since=" + cursor)
			v.linesSay("/results?limit=1&since=" + cursor)
			v.linesSay("/history?at_seq=1")
			v.linesSay("/history?at_seq=2")
			for i := range 300 { // enough to be compressed and to be sent in parts
				b.write(set(fmt.Sprintf("/many/%d", i), quoted(t, strings.Repeat("long ", 60))))
			}
			v.linesSay("/results")
		}},
		{"what is late is listed last", func(t *testing.T, v *visit) {
			v.accountFor()
			v.complete()
			v.send("tech1", batch{client: "a", number: 1, changes: []string{set("/x", "1")}})
			v.linesSay("/results")
			all := membersOf(t, v.do(v.lines("tech1", "GET", "/results", "")))
			same(t, all[len(all)-2].name, "late")
		}},
		{"lines deliver as JSON does", func(t *testing.T, v *visit) {
			a, b := v.pair()
			b.write(set("/x", "1"))
			membersOf(t, v.do(v.lines("tech1", "GET", "/results", "", "X-Client-ID", "a")))
			a.seen = map[string]int64{"b": 1}
			same(t, a.write(set("/x", "2")).Clock, map[string]int64{"a": 1, "b": 1})
			v.disputed()
			cursor := a.look().Cursor
			b.write(set("/y", "1"))
			membersOf(t, v.do(v.lines("tech1", "GET", "/results?since="+cursor, "", "X-Client-ID", "a")))
			a.seen = map[string]int64{"b": 2}
			same(t, a.write(set("/y", "2")).Clock, map[string]int64{"a": 2, "b": 2})
		}},
		{"a history says in lines what it says in JSON, page by page", func(t *testing.T, v *visit) {
			a, b := v.pair()
			for i := range 7 {
				a.write(set("/x", fmt.Sprint(i)))
			}
			b.write(correct("/x", "9", "b:1:0"))
			path := "/history?path=/x&limit=3"
			for pages := 1; ; pages++ {
				page := v.do(as("tech1", "GET", v.path(path))).Body.String()
				all := membersOf(t, v.do(v.lines("tech1", "GET", path, "")))
				wantEnd(t, all, map[string]string{"change": "changes"})
				var end struct {
					Next *string `json:"next_cursor"`
				}
				must(t, json.Unmarshal(all[len(all)-1].value, &end))
				var changes []string
				for _, m := range all[:len(all)-1] {
					same(t, m.name, "change")
					changes = append(changes, string(m.value))
				}
				next := "null"
				if end.Next != nil {
					next = quoted(t, *end.Next)
				}
				same(t, fmt.Sprintf(`{"data":[%s],"next_cursor":%s}`, strings.Join(changes, ","), next), page)
				if end.Next == nil {
					same(t, pages, 3)
					return
				}
				path = "/history?path=/x&limit=3&cursor=" + *end.Next
			}
		}},
		{"errors are JSON", func(t *testing.T, v *visit) {
			httpkittest.WantProblem(t, v.do(v.lines("tech1", "GET", "/results?since=x", "")), http.StatusBadRequest)
			httpkittest.WantProblem(t, v.do(v.lines("tech1", "GET", "/history?path=x", "")), http.StatusBadRequest)
			httpkittest.WantProblem(t, v.do(v.lines("tech1", "POST", "/results", "{")), http.StatusBadRequest)
			httpkittest.WantProblem(t, v.do(v.lines("tech1", "GET", "/sync_status", "")), http.StatusNotAcceptable)
			httpkittest.WantProblem(t, v.do(v.lines("tech1", "POST", "/nothing", "{}")), http.StatusNotFound)
			httpkittest.WantProblem(t, v.do(request{
				as: "manager", method: "PATCH", path: v.path(""), body: "{}",
				header: map[string]string{"Content-Type": httpkit.MediaLines},
			}), http.StatusUnsupportedMediaType)
		}},
		{"an answer that breaks off has no end", brokenOff},
		{"what is given is recorded before the last byte leaves", recordedFirst},
	})
}

// lined is b as lines.
func (b batch) lined(t testing.TB) string {
	t.Helper()
	var whole map[string]jsontext.Value
	must(t, json.Unmarshal([]byte(b.String()), &whole))
	return fmt.Sprintf("{\"_sync_meta\":%s,\"atomic\":%s}\n%s", whole["_sync_meta"], whole["atomic"],
		strings.Join(append(b.changes, ""), "\n"))
}

// lines is a request for lines, or with lines.
func (v *visit) lines(who, method, below, body string, header ...string) request {
	q := request{
		as: who, method: method, path: v.path(below), body: body,
		header: map[string]string{"Accept": httpkit.MediaLines},
	}
	if method == http.MethodPost {
		v.keys++
		q.header["Content-Type"], q.header["Idempotency-Key"] = httpkit.MediaLines, fmt.Sprintf("%s key %d", v.id, v.keys)
	}
	for i := 0; i < len(header); i += 2 {
		q.header[header[i]] = header[i+1]
	}
	return q
}

// member is what is on one line.
type member struct {
	name  string
	value jsontext.Value
}

// membersOf reads an answer of lines, of which the last must be the end.
func membersOf(t testing.TB, rec *httptest.ResponseRecorder) (all []member) {
	t.Helper()
	if rec.Code != http.StatusOK || rec.Header().Get("Content-Type") != httpkit.MediaLines {
		t.Fatalf("status %d, Content-Type %s: %s", rec.Code, rec.Header().Get("Content-Type"), rec.Body)
	}
	text := decompressed(t, rec.Header().Get("Content-Encoding"), rec.Body)
	for line := range strings.Lines(text) {
		var members map[string]jsontext.Value
		must(t, json.Unmarshal([]byte(line), &members))
		if len(members) != 1 || !strings.HasSuffix(line, "}\n") {
			t.Fatalf("a line that is not one member: %s", line)
		}
		for name, value := range members {
			all = append(all, member{name, value})
		}
	}
	if len(all) == 0 || all[len(all)-1].name != "end" {
		t.Fatalf("the last line is not the end: %s", text)
	}
	return all
}

// wantEnd wants the end to count what came before it.
func wantEnd(t testing.TB, all []member, counted map[string]string) {
	t.Helper()
	var end map[string]jsontext.Value
	must(t, json.Unmarshal(all[len(all)-1].value, &end))
	counts := map[string]int{}
	for _, m := range all {
		counts[m.name]++
	}
	for one, many := range counted {
		same(t, string(end[many]), fmt.Sprint(counts[one]))
	}
}

// whole is the JSON answer that the lines of an answer come to.
func whole(t testing.TB, all []member) string {
	t.Helper()
	wantEnd(t, all, map[string]string{"leaf": "leaves", "conflict": "conflicts", "removed": "removed", "late": "late"})
	lists := map[string][]string{}
	var document bytes.Buffer
	c := crdt.NewComposer(&document)
	order := ""
	for _, m := range all[1 : len(all)-1] {
		if m.name == "leaf" {
			var leaf struct {
				Path  crdt.Pointer
				Value jsontext.Value
			}
			must(t, json.Unmarshal(m.value, &leaf, json.MatchCaseInsensitiveNames(true)))
			must(t, c.Leaf(crdt.Reading{Path: leaf.Path, Value: crdt.Value(leaf.Value)}))
		}
		lists[m.name] = append(lists[m.name], string(m.value))
		if !strings.HasSuffix(order, m.name) {
			order += " " + m.name
		}
	}
	if strings.Trim(strings.NewReplacer("leaf", "", "conflict", "", "removed", "", "late", "").Replace(order),
		" ") != "" || all[0].name != "head" {
		t.Errorf("an answer of %s and%s", all[0].name, order)
	}
	must(t, c.End())
	return fmt.Sprintf(`%s,"document":%s,"conflicts":[%s],"removed":[%s],"late":[%s]}`,
		strings.TrimSuffix(string(all[0].value), "}"),
		document.String(), strings.Join(lists["conflict"], ","), strings.Join(lists["removed"],
			","), strings.Join(lists["late"], ","))
}

// linesSay wants the lines of an answer to come to its JSON, byte for byte, however they are encoded.
func (v *visit) linesSay(below string) {
	v.t.Helper()
	want := v.do(as("engineer", "GET", v.path(below))).Body.String()
	for _, encoding := range []string{"", "gzip", "zstd"} {
		rec := v.do(v.lines("engineer", "GET", below, "", "Accept-Encoding", encoding))
		if !slices.Contains(rec.Header().Values("Vary"), "Accept") {
			v.t.Errorf("Vary %q", rec.Header().Values("Vary"))
		}
		same(v.t, whole(v.t, membersOf(v.t, rec)), want)
	}
}

// leaving is a client that hangs up when the first bytes have come.
type leaving struct {
	*httptest.ResponseRecorder
	hangUp context.CancelFunc
}

func (l *leaving) Write(p []byte) (int, error) {
	l.hangUp()
	return l.ResponseRecorder.Write(p)
}

func brokenOff(t *testing.T, v *visit) {
	_, b := v.pair()
	for range 3 {
		changes := make([]string, 2000)
		for i := range changes {
			changes[i] = set(fmt.Sprintf("/%d/%d", b.number, i), quoted(t, strings.Repeat("long ", 20)))
		}
		b.write(changes...)
	}
	for _, accept := range []string{httpkit.MediaLines, httpkit.MediaJSON} {
		ctx, cancel := context.WithCancel(t.Context())
		w := &leaving{httptest.NewRecorder(), cancel}
		func() {
			defer func() {
				if p := recover(); p != http.ErrAbortHandler { //nolint:errorlint // net/http compares it so
					t.Errorf("%s: the connection is not cut: %v", accept, p)
				}
			}()
			v.ServeHTTP(w, v.lines("tech1", "GET", "/results", "", "X-Client-ID", "a", "Accept",
				accept).build(v.world).WithContext(ctx))
		}()
		body := w.Body.String()
		if len(body) < 64<<10 || strings.Contains(body, `{"end":`) || strings.HasSuffix(body, "}]}") {
			t.Errorf("%s: %d bytes, ending in %q", accept, len(body), body[max(0, len(body)-100):])
		}
	}
	same(t, v.send("tech1", batch{client: "a", number: 1, seen: map[string]int64{"b": 3}}).Clock, map[string]int64{"a": 1})
}

// watchful looks, at each write, what counts as delivered by then.
type watchful struct {
	*httptest.ResponseRecorder
	delivered func() int64
	atLast    int64
}

func (w *watchful) Write(p []byte) (int, error) {
	w.atLast = w.delivered()
	return w.ResponseRecorder.Write(p)
}

func recordedFirst(t *testing.T, v *visit) {
	_, b := v.pair()
	for i, accept := range []string{httpkit.MediaLines, httpkit.MediaJSON} {
		client := fmt.Sprint("reader-", i)
		b.write(set("/x", quoted(t, strings.Repeat("long ", 1000))))
		w := &watchful{ResponseRecorder: httptest.NewRecorder(), delivered: func() (n int64) {
			must(t, v.store.View(t.Context(), func(tx store.ReadTx) error {
				actors, err := store.As[store.ActorReader](tx).Actors(t.Context(),
					ledger.SessionRef{Org: "a", Session: firemode.SessionID(v.id)}, []crdt.ActorID{crdt.ActorID(client)})
				for _, a := range actors {
					n = a.Delivered
				}
				return err
			}))
			return n
		}}
		v.ServeHTTP(w, v.lines("tech1", "GET", "/results", "", "X-Client-ID", client, "Accept", accept).build(v.world))
		same(t, []any{w.Code, w.atLast}, []any{http.StatusOK, int64(i + 1)})
	}
}

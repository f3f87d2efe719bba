package httpapi

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"firemode"
)

// scenario is one story of a visit, named by what must hold.
type scenario struct {
	name string
	tell func(*testing.T, *visit)
}

// play tells each scenario in a session of its own, on both engines. The staff are manager, engineer, tech1 and tech2.
func play(t *testing.T, scenarios []scenario) {
	t.Helper()
	t.Parallel()
	onBothEngines(t, func(t *testing.T, w *world) {
		w.staff("tech1", firemode.RoleTechnician)
		w.staff("tech2", firemode.RoleTechnician)
		w.get(http.StatusCreated, as("manager", "POST", "/v1/buildings", `{"building_id":"b","site_name":"B","site_address":"S","owner_ids":["u-owner"]}`))
		for i, s := range scenarios {
			t.Run(s.name, func(t *testing.T) {
				own := *w
				own.t = t
				s.tell(t, &visit{world: &own, id: own.session(t, fmt.Sprintf("s%d", i))})
			})
		}
	})
}

// visit is a session as its clients see it.
type visit struct {
	*world
	id   string
	keys int
}

// batch is one POST of results. What is zero is left out of it.
type batch struct {
	client, id, prev string
	number           int64 // the own entry of the clock, 0 for a client that does not count
	seen             map[string]int64
	changes          []string
	captured, sent   time.Time
	onBehalfOf, key  string
	atomic           bool
}

func (b batch) String() string {
	meta := map[string]any{}
	put := func(name, value string) {
		if value != "" {
			meta[name] = value
		}
	}
	put("client_id", b.client)
	put("batch_id", b.id)
	put("prev_batch_id", b.prev)
	put("on_behalf_of", b.onBehalfOf)
	for name, at := range map[string]time.Time{"captured_at": b.captured, "sent_at": b.sent} {
		if !at.IsZero() {
			meta[name] = at
		}
	}
	clock := maps.Clone(b.seen)
	if b.number > 0 {
		if clock == nil {
			clock = map[string]int64{}
		}
		clock[b.client] = b.number
	}
	if clock != nil {
		meta["vector_clock"] = clock
	}
	text, err := json.Marshal(meta, json.Deterministic(true))
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf(`{"changes":[%s],"_sync_meta":%s,"atomic":%t}`, strings.Join(b.changes, ","), text, b.atomic)
}

func set(path, value string) string {
	return `{"op":"set","path":"` + path + `","value":` + value + `}`
}

func setAt(path, value string, at time.Time) string {
	return fmt.Sprintf(`{"op":"set","path":%q,"value":%s,"captured_at":%q}`, path, value, at.UTC().Format(time.RFC3339Nano))
}

func remove(path string) string { return fmt.Sprintf(`{"op":"remove","path":%q}`, path) }

func appendTo(path, value string) string {
	return fmt.Sprintf(`{"op":"append","path":%q,"value":%s}`, path, value)
}

func increment(path, delta string) string {
	return fmt.Sprintf(`{"op":"increment","path":%q,"delta":%s}`, path, delta)
}

func correct(path, value, dot string) string {
	return fmt.Sprintf(`{"op":"correct","path":%q,"value":%s,"dot":%q,"reason":"misread"}`, path, value, dot)
}

// resolve settles c by naming the dots; value "" leaves the path absent.
func resolve(c conflict, value string, dots ...string) string {
	if value != "" {
		value = `,"value":` + value
	}
	return fmt.Sprintf(`{"op":"resolve","path":%q,"conflict_id":%q,"dots":["%s"],"reason":"looked again"%s}`, c.Path, c.ID, strings.Join(dots, `","`), value)
}

// receipt is the answer to a batch.
type receipt struct {
	Status              string
	Applied, Duplicates int
	Results             []struct {
		Index          int
		Status, Reason string
		Conflict       *conflict
	}
	Clock     map[string]int64 `json:"vector_clock"`
	Missing   [][2]int64
	Flags     []string
	Conflicts []conflict
}

// statuses are those of the changes, in order.
func (r receipt) statuses() string {
	var all []string
	for i, c := range r.Results {
		if c.Index != i {
			return fmt.Sprintf("result %d has index %d", i, c.Index)
		}
		all = append(all, c.Status)
	}
	return strings.Join(all, " ")
}

type conflict struct {
	ID, Path, Kind string
	Count          int
	Values         []sibling
}

// dots are those of the siblings, in order of dot.
func (c conflict) dots() []string {
	var all []string
	for _, s := range c.Values {
		all = append(all, s.Dot)
	}
	slices.Sort(all)
	return all
}

// String is kind and path with the values, the shown one first.
func (c conflict) String() string {
	var values []string
	for _, s := range c.Values {
		values = append(values, s.Path+string(s.Value))
	}
	return fmt.Sprintf("%s %s %s", c.Kind, c.Path, strings.Join(values, " "))
}

type sibling struct {
	Dot, Path, Op, User string
	Client              string     `json:"client_id"`
	SubmittedBy         string     `json:"submitted_by"`
	CapturedAt          *time.Time `json:"captured_at"`
	ReceivedAt          time.Time  `json:"received_at"`
	Value, Instrument   jsontext.Value
	Reason              string
	Flags               []string
}

// merged is the merged document.
type merged struct {
	Clock     map[string]int64 `json:"vector_clock"`
	Cursor    string
	Complete  bool
	Document  jsontext.Value
	Conflicts []conflict
	Removed   []string
	Late      []struct {
		Client  string `json:"client_id"`
		Number  int64
		User    string
		Changes jsontext.Value
	}
}

// disputes are the conflicts in words, in order of path.
func (a merged) disputes() []string {
	var all []string
	for _, c := range a.Conflicts {
		all = append(all, c.String())
	}
	return all
}

// conflictAt returns the conflict at path, which must be there.
func (a merged) conflictAt(t *testing.T, path string) conflict {
	t.Helper()
	i := slices.IndexFunc(a.Conflicts, func(c conflict) bool { return c.Path == path })
	if i < 0 {
		t.Fatalf("no conflict at %s, only %v", path, a.disputes())
	}
	return a.Conflicts[i]
}

func (v *visit) path(below string) string { return "/v1/tests/sessions/" + v.id + below }

// post sends b, under a key of its own unless it has one.
func (v *visit) post(who string, b batch) *httptest.ResponseRecorder {
	v.t.Helper()
	if b.key == "" {
		v.keys++
		b.key = fmt.Sprintf("%s key %d", v.id, v.keys)
	}
	return v.do(request{as: who, method: "POST", path: v.path("/results"), body: b.String(), header: map[string]string{"Idempotency-Key": b.key}})
}

// send posts b, which must be taken.
func (v *visit) send(who string, b batch) (r receipt) {
	v.t.Helper()
	rec := v.post(who, b)
	if rec.Code != http.StatusOK {
		v.t.Fatalf("%s as %s: status %d: %s", b, who, rec.Code, rec.Body)
	}
	into(v.t, rec, &r)
	return r
}

// refused posts b, which must be answered with status.
func (v *visit) refused(who string, status int, b batch) problem {
	v.t.Helper()
	return wantProblem(v.t, v.post(who, b), status)
}

// forked posts b, which must be taken for that of a copied phone, and returns the fresh client id.
func (v *visit) forked(who string, b batch) string {
	v.t.Helper()
	p := v.refused(who, http.StatusConflict, b)
	if p.FreshClientID == "" || p.Retryable {
		v.t.Fatalf("%s: no fresh client id, or retryable: %+v", b, p)
	}
	return p.FreshClientID
}

// pull reads the document for client, "" for nobody.
func (v *visit) pull(who, client string) merged { return v.pullFrom(who, client, "/results") }

// since reads what changed after a cursor.
func (v *visit) since(who, client, cursor string) merged {
	return v.pullFrom(who, client, "/results?since="+cursor)
}

func (v *visit) pullFrom(who, client, below string) (a merged) {
	v.t.Helper()
	q := request{as: who, method: "GET", path: v.path(below), header: map[string]string{}}
	if client != "" {
		q.header["X-Client-ID"] = client
	}
	rec := v.do(q)
	if rec.Code != http.StatusOK {
		v.t.Fatalf("GET %s as %s: status %d: %s\n%s", below, who, rec.Code, rec.Body, lastLine(v.logs.String()))
	}
	into(v.t, rec, &a)
	return a
}

// document wants the document to be exactly want.
func (v *visit) document(want string) {
	v.t.Helper()
	same(v.t, string(v.pull("engineer", "").Document), want)
}

// disputed wants exactly these conflicts, see conflict.String, and that the session counts them.
func (v *visit) disputed(want ...string) {
	v.t.Helper()
	same(v.t, v.pull("engineer", "").disputes(), want)
	counted := v.get(http.StatusOK, as("engineer", "GET", v.path("/sync_status")))
	same(v.t, counted["conflict_count"], any(float64(len(want))))
}

// patch changes the session at its current state and returns the answer.
func (v *visit) patch(who, body string) *httptest.ResponseRecorder {
	v.t.Helper()
	return v.do(request{as: who, method: "PATCH", path: v.path(""), body: body, header: map[string]string{"If-Match": "*"}})
}

// complete completes the session, whose items must be done.
func (v *visit) complete() { v.t.Helper(); v.patched(`{"status":"completed"}`) }

func (v *visit) reopen() {
	v.t.Helper()
	v.patched(`{"status":"reopened","reason":"a batch came late"}`)
}

func (v *visit) patched(body string) {
	v.t.Helper()
	if rec := v.patch("manager", body); rec.Code != http.StatusOK {
		v.t.Fatalf("PATCH %s: status %d: %s", body, rec.Code, rec.Body)
	}
}

func into(t testing.TB, rec *httptest.ResponseRecorder, value any) {
	t.Helper()
	if err := json.Unmarshal(rec.Body.Bytes(), value, json.MatchCaseInsensitiveNames(true)); err != nil {
		t.Fatalf("%v: %s", err, rec.Body)
	}
}

// same wants got to be exactly want, but for a nil list, which is as good as an empty one.
func same[T any](t testing.TB, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmp.FilterValues(bothEmpty, cmp.Ignore())); diff != "" {
		t.Fatalf("(-want +got)\n%s", diff)
	}
}

func bothEmpty(a, b []string) bool { return len(a)+len(b) == 0 }

func quoted(t testing.TB, s string) string {
	t.Helper()
	text, err := json.Marshal(s)
	must(t, err)
	return string(text)
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

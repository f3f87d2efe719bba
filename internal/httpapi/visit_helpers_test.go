package httpapi

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"firemode"
	"firemode/internal/httpkit/httpkittest"
)

// scenario is one story of a visit, named by what must hold.
type scenario struct {
	name string
	tell func(*testing.T, *visit)
}

// play tells each scenario in a session of its own, on both engines. The staff are manager,
// engineer, tech1 and tech2.
func play(t *testing.T, scenarios []scenario) {
	t.Helper()
	t.Parallel()
	onBothEngines(t, func(t *testing.T, w *world) {
		w.staff("tech1", firemode.RoleTechnician)
		w.staff("tech2", firemode.RoleTechnician)
		w.get(http.StatusCreated, as("manager", "POST", "/v1/buildings",
			`{"building_id":"b","site_name":"B","site_address":"S","owner_ids":["u-owner"]}`))
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

func (v *visit) path(below string) string { return "/v1/tests/sessions/" + v.id + below }

// post sends b, under a key of its own unless it has one.
func (v *visit) post(who string, b batch) *httptest.ResponseRecorder {
	v.t.Helper()
	if b.key == "" {
		v.keys++
		b.key = fmt.Sprintf("%s key %d", v.id, v.keys)
	}
	return v.do(request{
		as: who, method: "POST", path: v.path("/results"), body: b.String(),
		header: map[string]string{"Idempotency-Key": b.key},
	})
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
func (v *visit) refused(who string, status int, b batch) httpkittest.Problem {
	v.t.Helper()
	return httpkittest.WantProblem(v.t, v.post(who, b), status)
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
	return v.do(request{
		as: who, method: "PATCH", path: v.path(""), body: body,
		header: map[string]string{"If-Match": "*"},
	})
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

package httpapi

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"firemode/internal/httpkit/httpkittest"
)

func TestIdempotencyKey_SameRequest_Replayed(t *testing.T) {
	t.Parallel()
	w := newFurnished(t)
	q := keyed("k-1", request{
		as: "admin", method: "POST", path: "/v1/buildings",
		body: `{"site_name":"Once","site_address":"Street"}`,
	})
	first := w.do(q)
	if first.Code != http.StatusCreated || first.Header().Get("Idempotency-Replayed") != "" {
		t.Fatalf("first: status %d, replayed %q", first.Code, first.Header().Get("Idempotency-Replayed"))
	}
	again := w.do(q)
	if again.Code != http.StatusCreated || again.Header().Get("Idempotency-Replayed") != "true" ||
		again.Body.String() != first.Body.String() {
		t.Errorf("again: status %d, replayed %q: %s", again.Code, again.Header().Get("Idempotency-Replayed"), again.Body)
	}
	other := q
	other.body = `{"site_name":"Other","site_address":"Street"}`
	if p := httpkittest.WantProblem(t, w.do(other), http.StatusConflict); p.Retryable {
		t.Error("a reused key is said to be retryable")
	}
	spaced := q
	spaced.path = "/v1/buildings/"
	if rec := w.do(spaced); rec.Header().Get("Idempotency-Replayed") != "true" {
		t.Errorf("a trailing slash makes another request of it: %d", rec.Code)
	}
}

func TestIdempotencyKey_OfAnotherUser_Independent(t *testing.T) {
	t.Parallel()
	w := newFurnished(t)
	body := `{"item_code":"AS1851-2012-FE-01","observed_condition":"pressure_low"}`
	ids := map[any]bool{}
	for _, who := range []string{"admin", "technician", "stranger"} {
		got := w.get(http.StatusOK, keyed("same", request{as: who, method: "POST", path: "/v1/classify", body: body}))
		ids[got["audit_log_id"]] = true
	}
	if len(ids) != 3 {
		t.Errorf("three users with the same key made %d entries", len(ids))
	}
}

func TestIdempotencyKey_Malformed_400(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for key, status := range map[string]int{
		"a": 200, strings.Repeat("k", 255): 200, "with space ~": 200,
		strings.Repeat("k", 256): 400, "tab\there": 400, "ümlaut": 400, "": 400,
	} {
		q := keyed(key, request{
			as: "admin", method: "POST", path: "/v1/classify",
			body: `{"item_code":"AS1851-2012-FE-01","observed_condition":"pressure_low"}`,
		})
		if rec := w.do(q); rec.Code != status {
			t.Errorf("key %q: status %d, want %d", key, rec.Code, status)
		}
	}
	for _, q := range []request{
		{method: "POST", path: "/v1/auth/login", body: `{"username":"technician","password":"correct horse"}`},
		{
			as: "technician", method: "POST", path: "/v1/users/me/password",
			body: `{"old_password":"correct horse","new_password":"battery staple"}`,
		},
	} {
		if rec := w.do(keyed(strings.Repeat("k", 300), q)); rec.Code >= 300 {
			t.Errorf("%s minds the key: %d %s", q.path, rec.Code, rec.Body)
		}
	}
}

// Requests that come at once under one key are one request, with one answer.
func TestIdempotencyKey_ConcurrentRequests_OneResponse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	q := keyed("at-once", request{
		as: "admin", method: "POST", path: "/v1/buildings",
		body: `{"site_name":"Once","site_address":"Street"}`,
	})
	answers := make(chan *httptest.ResponseRecorder)
	const n = 8
	for range n {
		go func() { answers <- w.do(q) }()
	}
	bodies, replayed := map[string]bool{}, 0
	for range n {
		rec := <-answers
		same(t, rec.Code, http.StatusCreated)
		bodies[rec.Body.String()] = true
		if rec.Header().Get("Idempotency-Replayed") == "true" {
			replayed++
		}
	}
	same(t, []int{len(bodies), replayed}, []int{1, n - 1})
}

func TestIdempotencyKey_Replay_Reported(t *testing.T) {
	t.Parallel()
	w := newFurnished(t)
	w.seen.Reset()
	q := keyed("k-1", request{
		as: "admin", method: "POST", path: "/v1/classify",
		body: `{"item_code":"AS1851-2012-FE-01","observed_condition":"pressure_low"}`,
	})
	for range 2 {
		w.get(http.StatusOK, q)
	}
	want := []string{"POST /v1/classify 200", "POST /v1/classify 200", "replayed"}
	if !slices.Equal(w.seen.All(), want) {
		t.Errorf("observed %q, want %q", w.seen.All(), want)
	}
}

func keyed(key string, q request) request {
	header := map[string]string{"Idempotency-Key": key}
	for k, v := range q.header {
		header[k] = v
	}
	q.header = header
	return q
}

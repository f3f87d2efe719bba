package httpapi

import (
	"errors"
	"net/http"
	"regexp"
	"testing"
	"time"

	"firemode"
	"firemode/internal/httpkit"
	"firemode/internal/httpkit/httpkittest"
	"firemode/internal/store"
)

func TestProblem_EveryCode(t *testing.T) {
	t.Parallel()
	errs := map[string]error{
		"internal": &firemode.Error{Code: firemode.CodeInternal, Message: "disk /dev/sda1", Err: errors.New("EIO")},
		"foreign":  errors.New("dial tcp 10.0.0.1:5432: refused"),
		"unknown":  errors.Join(errors.New("commit"), store.ErrOutcomeUnknown),
		"gone":     firemode.Gone("from before the restore"),
		"range":    httpkit.Failure(firemode.CodeRange, "out of range"),
		"missing":  firemode.PreconditionMissing("If-Match is needed"),
		"limited":  &firemode.Error{Code: firemode.CodeRateLimited, Message: "slow down", RetryAfter: 90 * time.Second},
		"shed":     firemode.Unavailable(1500*time.Millisecond, "busy"),
		"fork":     &firemode.Error{Code: firemode.CodeConflict, Message: "forked", FreshClientID: "tablet-7-b"},
		"flight":   &firemode.Error{Code: firemode.CodeInFlight, Message: "still running", RetryAfter: time.Second},
	}
	w := newFailing(t, errs)
	oversized := map[string]string{"Content-Length": "9000000"}
	rows := []struct {
		code      firemode.Code
		q         request
		status    int
		retryable bool
		message   string
	}{
		{firemode.CodeInternal, request{method: "POST", path: "/test/internal"}, 500, true, "internal error"},
		{firemode.CodeInternal, request{method: "POST", path: "/test/foreign"}, 500, true, "internal error"},
		{firemode.CodeInternal, request{method: "POST", path: "/test/panic"}, 500, true, "internal error"},
		{
			firemode.CodeMalformed,
			request{as: "admin", method: "POST", path: "/v1/buildings", body: `{`},
			400, false,
			"not valid JSON",
		},
		{firemode.CodeUnauthenticated, request{method: "GET", path: "/v1/users/me"}, 401, false, "bearer token"},
		{firemode.CodeForbidden, request{as: "technician", method: "GET", path: "/v1/users"}, 403, false, "technician"},
		{
			firemode.CodeNotFound,
			request{as: "admin", method: "GET", path: "/v1/buildings/none"},
			404, false,
			"no such building",
		},
		{
			firemode.CodeMethodNotAllowed,
			request{as: "admin", method: "DELETE", path: "/v1/buildings"},
			405, false,
			"GET, HEAD, POST, OPTIONS",
		},
		{firemode.CodeNotAcceptable, request{
			as: "admin", method: "GET", path: "/v1/buildings",
			header: map[string]string{"Accept": "image/png"},
		}, 406, false, "application/json"},
		{firemode.CodeConflict, request{
			as: "admin", method: "POST", path: "/v1/buildings",
			body: `{"site_name":"open","site_address":" street 2"}`,
		}, 409, false, "name and address"},
		{firemode.CodeConflict, request{method: "POST", path: "/test/fork"}, 409, false, "forked"},
		{firemode.CodeInFlight, request{method: "POST", path: "/test/flight"}, 409, true, "still running"},
		{firemode.CodeGone, request{method: "POST", path: "/test/gone"}, 410, false, "restore"},
		{firemode.CodeChanged, request{
			as: "admin", method: "PATCH", path: "/v1/buildings/open", body: `{}`,
			header: map[string]string{"If-Match": `"77"`},
		}, 412, false, ""},
		{
			firemode.CodeTooLarge,
			request{as: "admin", method: "POST", path: "/v1/buildings", body: `{}`, header: oversized},
			413, false, "8388608 bytes",
		},
		{firemode.CodeUnsupportedMedia, request{
			as: "admin", method: "POST", path: "/v1/buildings", body: `{}`,
			header: map[string]string{"Content-Type": "text/xml"},
		}, 415, false, "application/json"},
		{firemode.CodeRange, request{method: "POST", path: "/test/range"}, 416, false, "range"},
		{firemode.CodeInvalid, request{
			as: "admin", method: "POST", path: "/v1/buildings",
			body: `{"site_name":7,"site_address":"x"}`,
		}, 422, false, "site_name: "},
		{firemode.CodePreconditionMissing, request{method: "POST", path: "/test/missing"}, 428, false, "If-Match"},
		{firemode.CodeRateLimited, request{method: "POST", path: "/test/limited"}, 429, true, "slow down"},
		{firemode.CodeUnavailable, request{method: "POST", path: "/test/shed"}, 503, true, "busy"},
		{firemode.CodeUnavailable, request{method: "POST", path: "/test/unknown"}, 503, true, "Idempotency-Key"},
	}
	seen := map[firemode.Code]bool{firemode.CodeBodyTimeout: true} // see TestBody_Interrupted_408
	secrets := regexp.MustCompile(`sda1|EIO|10\.0\.0\.1|commit|42|goroutine|\.go:`)
	for _, row := range rows {
		seen[row.code] = true
		rec := w.do(row.q)
		p := httpkittest.WantProblem(t, rec, row.status)
		if p.Retryable != row.retryable || !regexp.MustCompile(regexp.QuoteMeta(row.message)).MatchString(p.Message) {
			t.Errorf("%s %s: retryable %v, message %q; want %v, %q", row.q.method, row.q.path, p.Retryable, p.Message,
				row.retryable, row.message)
		}
		if row.status >= 500 && secrets.MatchString(p.Message) {
			t.Errorf("%s shows internals: %s", row.q.path, p.Message)
		}
	}
	for code := firemode.CodeInternal; code <= firemode.CodeUnavailable; code++ {
		if !seen[code] {
			t.Errorf("code %d has no request in this test", code)
		}
	}
}

func TestProblem_Headers(t *testing.T) {
	t.Parallel()
	w := newFailing(t, map[string]error{
		"limited": &firemode.Error{Code: firemode.CodeRateLimited, Message: "slow down", RetryAfter: 90 * time.Second},
		"shed":    firemode.Unavailable(1500*time.Millisecond, "busy"),
		"soon":    &firemode.Error{Code: firemode.CodeUnavailable, Message: "busy"},
		"fork":    &firemode.Error{Code: firemode.CodeConflict, Message: "forked", FreshClientID: "tablet-7-b"},
	})
	for name, want := range map[string]string{"limited": "90", "shed": "2", "soon": "1", "fork": ""} {
		rec := w.do(request{method: "POST", path: "/test/" + name})
		if got := rec.Header().Get("Retry-After"); got != want {
			t.Errorf("%s: Retry-After %q, want %q", name, got, want)
		}
	}
	if p := httpkittest.WantProblem(t, w.do(request{method: "POST", path: "/test/fork"}),
		http.StatusConflict); p.FreshClientID != "tablet-7-b" {
		t.Errorf("fresh_client_id %q", p.FreshClientID)
	}
	rec := w.do(request{method: "PUT", path: "/v1/classify"})
	httpkittest.WantProblem(t, rec, http.StatusMethodNotAllowed)
	if got := rec.Header().Get("Allow"); got != "POST, OPTIONS" {
		t.Errorf("Allow %q", got)
	}
}

// failing is a route of the tests that answers every error there can be.
func failing(errs map[string]error) httpkit.Route {
	return httpkit.Route{
		Method: http.MethodPost, Pattern: "/test/{name}", ID: "test", Tag: "test",
		Serve: httpkit.Raw(func(_ http.ResponseWriter, r *http.Request) error {
			if r.PathValue("name") == "panic" {
				panic("the secret is 42")
			}
			return errs[r.PathValue("name")]
		}, nil),
	}
}

func newFailing(t testing.TB, errs map[string]error, change ...func(*Config)) *world {
	t.Helper()
	w := newFurnished(t, change...)
	a, err := build(w.config, func(a *API) []httpkit.Route { return append(a.routes(), failing(errs)) })
	must(t, err)
	w.API = a
	return w
}

package httpapi

import (
	"net/http"
	"strconv"
	"testing"

	"firemode/internal/httpkit/httpkittest"
)

func TestRefresh_SameKey_Replayed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	login := w.get(http.StatusOK, request{
		method: "POST", path: "/v1/auth/login",
		body: `{"username":"ADMIN","password":"correct horse"}`,
	})
	q := keyed("r-1", request{method: "POST", path: "/v1/auth/refresh", body: `{"refresh_token":"` +
		login["refresh_token"].(string) + `"}`})
	first, again := w.do(q), w.do(q)
	if first.Code != http.StatusOK || again.Body.String() != first.Body.String() ||
		again.Header().Get("Idempotency-Replayed") != "true" {
		t.Errorf("first %d, again %d %q: %s", first.Code, again.Code, again.Header().Get("Idempotency-Replayed"), again.Body)
	}
	q.header = nil
	httpkittest.WantProblem(t, w.do(q), http.StatusUnauthorized)
}

func TestLogout_RevokesTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	login := w.get(200, request{
		method: "POST", path: "/v1/auth/login",
		body: `{"username":"engineer","password":"correct horse"}`,
	})
	w.tokens["session"] = login["access_token"].(string)
	w.follow([]step{
		{as("session", "GET", "/v1/users/me"), 200, `~"username":"engineer"`, ""},
		{as("session", "POST", "/v1/auth/logout"), 204, "", ""},
		{as("session", "GET", "/v1/users/me"), 401, "~FIRE-401", ""},
		{
			as("", "POST", "/v1/auth/refresh", `{"refresh_token":"`, login["refresh_token"].(string), `"}`), 401, "~FIRE-401",
			"",
		},
	})
}

func TestLogin_FailuresThrottled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	wrong := as("", "POST", "/v1/auth/login", `{"username":"engineer","password":"wrong"}`)
	for range 10 {
		httpkittest.WantProblem(t, w.do(wrong), 401)
	}
	rec := w.do(wrong)
	p := httpkittest.WantProblem(t, rec, 429)
	if seconds, err := strconv.Atoi(rec.Header().Get("Retry-After")); err != nil || seconds < 1 || seconds > 300 ||
		!p.Retryable {
		t.Errorf("Retry-After %q, retryable %v", rec.Header().Get("Retry-After"), p.Retryable)
	}
}

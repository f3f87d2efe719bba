package httpapi

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
)

func TestRequestID_KeptIfWellFormed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for sent, kept := range map[string]bool{
		"abc": true, "A.b_c-9": true, strings.Repeat("x", 128): true,
		"": false, strings.Repeat("x", 129): false, "a b": false, "a/b": false, "ü": false, "a\nb": false,
	} {
		rec := w.do(request{method: "GET", path: "/health/live", header: map[string]string{"X-Request-ID": sent}})
		got := rec.Header().Get("X-Request-ID")
		if kept && got != sent {
			t.Errorf("%q became %q", sent, got)
		}
		if minted, err := uuid.Parse(got); !kept && (err != nil || minted.Version() != 7) {
			t.Errorf("for %q: %q is no UUIDv7", sent, got)
		}
	}
}

func TestLog_OneEventPerRequest(t *testing.T) {
	t.Parallel()
	w := newFailing(t, nil)
	w.seen.Reset()
	w.do(request{
		as: "admin", method: "GET", path: "/v1/users/u-owner/?q=secret-query",
		header: map[string]string{"X-Request-ID": "req-1"},
	})
	w.do(request{method: "POST", path: "/v1/auth/login", body: `{"username":"admin","password":"secret-password"}`})
	w.do(request{method: "GET", path: "/secret-path"})
	w.do(request{method: "POST", path: "/test/panic"})
	want := []string{"GET /v1/users/{id} 200", "POST /v1/auth/login 401", "GET unmatched 404", "POST /test/{name} 500"}
	if !slices.Equal(w.seen.All(), want) {
		t.Errorf("observed %q, want %q", w.seen.All(), want)
	}
	text := w.logs.String()
	if n := strings.Count(text, "msg=request "); n != 4 {
		t.Errorf("%d events, want 4:\n%s", n, text)
	}
	for _, part := range []string{
		"status=200 ", "route=/v1/users/{id}", "method=GET", "transaction_id=req-1",
		"user=u-admin org=a", "msg=panic", "the secret is 42", "problem_test.go",
	} {
		if !strings.Contains(text, part) {
			t.Errorf("the log lacks %q:\n%s", part, text)
		}
	}
	for _, secret := range []string{"secret-query", "secret-password", "secret-path", w.tokens["admin"]} {
		if strings.Contains(text, secret) {
			t.Errorf("the log holds %q:\n%s", secret, text)
		}
	}
}

func TestResponse_SafeHeaders(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, path := range []string{"/v1/users/me", "/none", "/health/ready", "/docs"} {
		h := w.do(request{as: "admin", method: "GET", path: path}).Header()
		if h.Get("X-Content-Type-Options") != "nosniff" ||
			!strings.HasPrefix(h.Get("Content-Security-Policy"), "default-src 'none'") || h.Get("Cache-Control") == "" {
			t.Errorf("%s: %v", path, h)
		}
	}
}

package httpkit

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"firemode"
	"firemode/internal/httpkit/httpkittest"
	"firemode/internal/store"
)

func FuzzIdempotencyKey(f *testing.F) {
	for _, key := range []string{
		"", "k", "019ab3c2-7d10-7000-8000-000000000000", " ", "a\nb", "é", "\x7f",
		strings.Repeat("k", 255), strings.Repeat("k", 256),
	} {
		f.Add(key, false)
	}
	f.Add("twice", true)
	f.Fuzz(func(t *testing.T, sent string, twice bool) {
		r := &http.Request{Header: http.Header{"Idempotency-Key": {sent}}}
		if twice {
			r.Header["Idempotency-Key"] = []string{sent, sent}
		}
		key, err := idempotencyKey(r)
		if err != nil {
			wantRefusal(t, err)
		}
		good := !twice && 1 <= len(sent) && len(sent) <= 255 &&
			!slices.ContainsFunc([]byte(sent), func(c byte) bool { return c < ' ' || c > '~' })
		if good != (err == nil) || good && key != sent {
			t.Fatalf("%q, twice %v: %q, %v", sent, twice, key, err)
		}
	})
}

// A request under a key that is in flight waits two seconds for the same answer. After that it is
// refused, and can be retried.
func TestIdempotencyKey_StillRunning_409(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		entered, leave := make(chan struct{}), make(chan struct{})
		slow := rawRoute(http.MethodPost, "/test/slow", func(w http.ResponseWriter, _ *http.Request) error {
			entered <- struct{}{}
			<-leave
			w.WriteHeader(http.StatusNoContent)
			return nil
		})
		slow.Once = OnceOptional
		k := newKit(t, []Route{slow})
		ask := func() *httptest.ResponseRecorder { return k.do("POST", "/test/slow", "", "Idempotency-Key", "k") }
		done := make(chan int)
		go func() { done <- ask().Code }()
		<-entered
		start := time.Now()
		rec := ask()
		if p := httpkittest.WantProblem(t, rec, http.StatusConflict); !p.Retryable ||
			rec.Header().Get("Retry-After") != "1" || time.Since(start) != keyWait {
			t.Errorf("in flight: retryable %v, Retry-After %q, after %s", p.Retryable, rec.Header().Get("Retry-After"),
				time.Since(start))
		}
		go func() { done <- ask().Code }()
		time.Sleep(keyWait - time.Millisecond)
		leave <- struct{}{}
		wantStatus(t, <-done, http.StatusNoContent)
		<-entered // the one that waited
		leave <- struct{}{}
		wantStatus(t, <-done, http.StatusNoContent)
	})
}

// The scopes are stored, so a retry across an upgrade finds its stored response only if they stay
// as they are.
func TestScope_IsUserMethodAndPath(t *testing.T) {
	t.Parallel()
	var got store.Idempotency
	own := rawRoute(http.MethodPost, "/v1/tests/sessions/{id}/results",
		func(_ http.ResponseWriter, r *http.Request) error {
			got = *StateOf(r.Context()).Claim
			return nil
		})
	optional, open := own, own
	own.Permission, own.Once = only(firemode.RoleAdmin), OnceOwn
	optional.Pattern, optional.ID, optional.Permission, optional.Once = "/v1/things/{id}", "things", only(firemode.RoleAdmin), OnceOptional
	open.Pattern, open.ID, open.Once = "/v1/open", "open", OnceOptional
	k := newKit(t, []Route{own, optional, open})
	for _, row := range []struct{ path, scope string }{
		{"/v1/tests/sessions/s-1/results", "a|u-admin|POST|/v1/tests/sessions/s-1/results"},
		{"/v1//tests/sessions/%73-1/results/", "a|u-admin|POST|/v1/tests/sessions/s-1/results"},
		{"/v1/things/t-1/", "a|u-admin|POST|/v1/things/t-1"},
		{"/v1/things/%74-1", "a|u-admin|POST|/v1/things/%74-1"},
		{"/v1/open", "d0f80b0f9189612b5751a008b72aeb7e182f8ca32c9f07550875a84cd421d7ba|POST|/v1/open"},
	} {
		got = store.Idempotency{}
		k.do("POST", row.path, "", "Authorization", "Bearer admin", "Idempotency-Key", "k")
		if got.Scope != row.scope || got.Key != "k" {
			t.Errorf("%s: scope %q, key %q, want %q", row.path, got.Scope, got.Key, row.scope)
		}
	}
	rec := k.do("POST", "/v1/tests/sessions/s-1/results", "", "Authorization", "Bearer admin")
	httpkittest.WantProblem(t, rec, http.StatusBadRequest)
}

func wantStatus(t *testing.T, got, want int) {
	t.Helper()
	if got != want {
		t.Errorf("status %d, want %d", got, want)
	}
}

// wantRefusal wants err to be the fault of the client.
func wantRefusal(t *testing.T, err error) {
	t.Helper()
	if code := firemode.CodeOf(err); code != firemode.CodeMalformed && code != firemode.CodeInvalid &&
		code != firemode.CodeTooLarge {
		t.Fatalf("refused as %v: %v", code, err)
	}
}

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
)

func FuzzIdempotencyKey(f *testing.F) {
	for _, key := range []string{"", "k", "019ab3c2-7d10-7000-8000-000000000000", " ", "a\nb", "é", "\x7f", strings.Repeat("k", 255), strings.Repeat("k", 256)} {
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
		good := !twice && 1 <= len(sent) && len(sent) <= 255 && !slices.ContainsFunc([]byte(sent), func(c byte) bool { return c < ' ' || c > '~' })
		if good != (err == nil) || good && key != sent {
			t.Fatalf("%q, twice %v: %q, %v", sent, twice, key, err)
		}
	})
}

// A request under a key that is in flight waits two seconds for the same answer. After that it is refused, and can be retried.
func TestKeyInFlight(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		entered, leave := make(chan struct{}), make(chan struct{})
		slow := rawRoute(http.MethodPost, "/test/slow", func(w http.ResponseWriter, _ *http.Request) error {
			entered <- struct{}{}
			<-leave
			w.WriteHeader(http.StatusNoContent)
			return nil
		})
		slow.Once = OnceRequired
		k := newKit(t, []Route{slow})
		ask := func() *httptest.ResponseRecorder { return k.do("POST", "/test/slow", "", "Idempotency-Key", "k") }
		done := make(chan int)
		go func() { done <- ask().Code }()
		<-entered
		start := time.Now()
		rec := ask()
		if p := httpkittest.WantProblem(t, rec, http.StatusConflict); !p.Retryable || rec.Header().Get("Retry-After") != "1" || time.Since(start) != keyPatience {
			t.Errorf("in flight: retryable %v, Retry-After %q, after %s", p.Retryable, rec.Header().Get("Retry-After"), time.Since(start))
		}
		go func() { done <- ask().Code }()
		time.Sleep(keyPatience - time.Millisecond)
		leave <- struct{}{}
		wantStatus(t, <-done, http.StatusNoContent)
		<-entered // the one that waited
		leave <- struct{}{}
		wantStatus(t, <-done, http.StatusNoContent)
		httpkittest.WantProblem(t, k.do("POST", "/test/slow", ""), http.StatusBadRequest)
	})
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
	if code := firemode.CodeOf(err); code != firemode.CodeMalformed && code != firemode.CodeInvalid && code != firemode.CodeTooLarge {
		t.Fatalf("refused as %v: %v", code, err)
	}
}

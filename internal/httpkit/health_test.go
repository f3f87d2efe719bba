package httpkit

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"firemode"
)

// A check that hangs is not called again, and is waited for no longer than any other; what it says
// comes to all who ask meanwhile.
func TestReady_HangingCheck_TimesOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		hang := make(chan struct{})
		h := NewHealth(map[string]Check{
			"hangs": func(context.Context) error { calls.Add(1); <-hang; return nil },
			"slow":  func(context.Context) error { return Degraded("as slow as %s", "a snail") },
			"broken": func(context.Context) error {
				return fmt.Errorf("postgres://u:secret@host: %w", firemode.Unavailable(time.Second, "the database is away"))
			},
			"panics": func(context.Context) error { panic("secret") },
		}, time.Now, "")
		a := newKit(t, []Route{
			{Method: http.MethodGet, Pattern: "/health/live", ID: "live", Tag: "health", Serve: Typed(h.Live)},
			{Method: http.MethodGet, Pattern: "/health/ready", ID: "ready", Tag: "health", Serve: Typed(h.Ready)},
		})
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				begun := time.Now()
				rec := httptest.NewRecorder()
				a.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), "GET", "/health/ready", nil))
				want := `{"ready":false,"status":"unhealthy","checks":{` +
					`"broken":{"ok":false,"latency_ms":0,"state":"unhealthy","message":"the database is away"},` +
					`"hangs":{"ok":false,"latency_ms":2000,"state":"unhealthy","message":"no answer within 2s"},` +
					`"panics":{"ok":false,"latency_ms":0,"state":"unhealthy"},` +
					`"slow":{"ok":true,"latency_ms":0,"state":"degraded","message":"as slow as a snail"}}}`
				if rec.Code != http.StatusServiceUnavailable || rec.Body.String() != want || time.Since(begun) != checkDeadline {
					t.Errorf("after %s: %d %s", time.Since(begun), rec.Code, rec.Body)
				}
			})
		}
		all.Wait()
		if calls.Load() != 1 {
			t.Errorf("it was called %d times", calls.Load())
		}
		close(hang)
		synctest.Wait()
		rec := httptest.NewRecorder()
		a.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), "GET", "/health/ready", nil))
		if !strings.Contains(rec.Body.String(), `"hangs":{"ok":true,`) || calls.Load() != 2 {
			t.Errorf("once it answers: %s", rec.Body)
		}
		if rec := a.do("GET", "/health/live", ""); rec.Code != http.StatusOK {
			t.Errorf("live: %d", rec.Code)
		}
	})
}

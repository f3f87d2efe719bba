package app

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"firemode/internal/store"
)

// Reads continue while the writer is blocked.
func TestNode_WriterBlocked_ShedsWrites(t *testing.T) {
	t.Parallel()
	s, d := testServices(t)
	n, err := newNode(Server{ShedAfter: time.Nanosecond, BodyMemory: 80}, s, d)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(method, path string) *httptest.ResponseRecorder {
		rec := httptest.NewRecorder()
		n.server.Handler.ServeHTTP(rec, httptest.NewRequest(method, path, strings.NewReader("{}")))
		return rec
	}
	shown := func() string { return ask(http.MethodGet, "/metrics").Body.String() }
	for _, queue := range []string{"database", "results", "classifications"} {
		if line := `queue_depth_seconds{queue="` + queue + "\"} 0\n"; !strings.Contains(shown(), line) {
			t.Errorf("the metrics do not show %s", line)
		}
	}
	if rec := ask(http.MethodPost, "/v1/auth/login"); rec.Code != http.StatusUnprocessableEntity {
		t.Errorf("status %d with nothing in the queue", rec.Code)
	}
	held, release, done := make(chan struct{}), make(chan struct{}), make(chan error, 2)
	go func() {
		done <- s.Store.Update(t.Context(), func(store.Tx) error {
			close(held)
			<-release
			return nil
		})
	}()
	<-held
	go func() { done <- s.Store.Update(t.Context(), func(store.Tx) error { return nil }) }()
	eventually(t, "an Update waits", func() bool { return s.Store.Stats().Wait > time.Nanosecond })
	rec := ask(http.MethodPost, "/v1/auth/login")
	if rec.Code != http.StatusServiceUnavailable || rec.Header().Get("Retry-After") == "" {
		t.Errorf("status %d, Retry-After %q while the writer is blocked", rec.Code, rec.Header().Get("Retry-After"))
	}
	if !strings.Contains(shown(), `requests_shed_total{reason="database"} 1`) {
		t.Error("the metrics do not count the shed request")
	}
	close(release)
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if rec := ask(http.MethodPost, "/v1/auth/login"); rec.Code != http.StatusUnprocessableEntity {
		t.Errorf("status %d when nothing waits any more", rec.Code)
	}
}

package httpapi

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A request that has been received whole is done whole, though its sender has hung up meanwhile.
func TestWorkGoesOnAfterTheClientLeft(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	deadline := false
	a, err := build(w.Config, []Route{{
		Method: http.MethodPost, Pattern: "/test/stay", ID: "stay", Tag: "test", Body: Body{Media: mediaJSON, Limit: 100},
		serve: raw(func(_ *API, w http.ResponseWriter, r *http.Request) error {
			_, deadline = r.Context().Deadline()
			w.WriteHeader(http.StatusNoContent)
			return r.Context().Err()
		}, nil),
	}})
	must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	rec := httptest.NewRecorder()
	a.ServeHTTP(rec, httptest.NewRequest(http.MethodPost, "/test/stay", strings.NewReader("{}")).WithContext(ctx))
	if rec.Code != http.StatusNoContent || !deadline {
		t.Errorf("status %d, a deadline of its own: %v", rec.Code, deadline)
	}
}

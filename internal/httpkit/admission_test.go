package httpkit

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A request that has been received whole is done whole, though its sender has hung up meanwhile.
func TestAdmit_ClientLeft_WorkGoesOn(t *testing.T) {
	t.Parallel()
	deadline := false
	k := newKit(t, []Route{{
		Method: http.MethodPost, Pattern: "/test/stay", ID: "stay", Tag: "test", Body: Body{Media: MediaJSON, Limit: 100},
		Serve: Raw(func(w http.ResponseWriter, r *http.Request) error {
			_, deadline = r.Context().Deadline()
			w.WriteHeader(http.StatusNoContent)
			return r.Context().Err()
		}, nil),
	}})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	rec := httptest.NewRecorder()
	k.ServeHTTP(rec, httptest.NewRequest(http.MethodPost, "/test/stay", strings.NewReader("{}")).WithContext(ctx))
	if rec.Code != http.StatusNoContent || !deadline {
		t.Errorf("status %d, a deadline of its own: %v", rec.Code, deadline)
	}
}

package httpapi

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"firemode/internal/httpkit/httpkittest"
)

func TestImportAssets_OverTheLimit_413(t *testing.T) {
	t.Parallel()
	w := newFurnished(t)
	for _, claimed := range []int64{importLimit + 1, -1} {
		r := httptest.NewRequest(http.MethodPost, "/v1/buildings/closed/assets/import",
			io.LimitReader(io.MultiReader(strings.NewReader("asset_id,asset_type\n"), endless{}), importLimit+1))
		r.ContentLength = claimed
		r.Header.Set("Authorization", "Bearer "+w.tokens["admin"])
		r.Header.Set("Content-Type", mediaCSV)
		rec := httptest.NewRecorder()
		w.ServeHTTP(rec, r)
		if p := httpkittest.WantProblem(t, rec, http.StatusRequestEntityTooLarge); !strings.Contains(p.Message,
			"67108864 bytes") {
			t.Errorf("message %q", p.Message)
		}
	}
}

func TestImportAssets_SameKey_Replayed(t *testing.T) {
	t.Parallel()
	w := newFurnished(t)
	q := keyed("file-1", request{
		as: "admin", method: "POST", path: "/v1/buildings/closed/assets/import",
		body:   "asset_id,asset_type\nFE-9,extinguisher_powder\n",
		header: map[string]string{"Content-Type": mediaCSV},
	})
	first, again := w.do(q), w.do(q)
	want := `{"created":1,"updated":0,"unchanged":0,"rejected":[]}`
	if first.Body.String() != want || again.Body.String() != want || again.Header().Get("Idempotency-Replayed") != "true" {
		t.Errorf("first %s, again %s, replayed %q", first.Body, again.Body, again.Header().Get("Idempotency-Replayed"))
	}
	q.body += "FE-10,extinguisher_powder\n"
	httpkittest.WantProblem(t, w.do(q), http.StatusConflict)
}

// endless is the rest of a CSV file: lines that are long, so that there are few, and blank.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	p[len(p)-1] = '\n'
	return len(p), nil
}

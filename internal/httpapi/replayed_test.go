package httpapi

import (
	"net/http"
	"slices"
	"testing"
)

func TestReplaysAreReported(t *testing.T) {
	t.Parallel()
	w := newFurnished(t)
	w.seen.Reset()
	q := keyed("k-1", request{as: "admin", method: "POST", path: "/v1/classify", body: `{"item_code":"AS1851-2012-FE-01","observed_condition":"pressure_low"}`})
	for range 2 {
		w.get(http.StatusOK, q)
	}
	want := []string{"POST /v1/classify 200", "POST /v1/classify 200", "replayed"}
	if !slices.Equal(w.seen.All(), want) {
		t.Errorf("observed %q, want %q", w.seen.All(), want)
	}
}

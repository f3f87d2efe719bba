package httpapi

import (
	"net/http"
	"strings"
	"testing"

	"firemode/internal/httpkit"
	"firemode/internal/httpkit/httpkittest"
)

func TestAccept_Excluded_406(t *testing.T) {
	t.Parallel()
	w := newFurnished(t)
	for _, row := range []struct {
		path, accept string
		status       int
	}{
		{"/v1/users/me", "", 200},
		{"/v1/users/me", "*/*", 200},
		{"/v1/users/me", "application/*", 200},
		{"/v1/users/me", "text/html, application/json;q=0.5", 200},
		{"/v1/users/me", "application/problem+json, */*", 200},
		{"/v1/users/me", "text/html", 406},
		{"/v1/users/me", "application/json;q=0", 406},
		{"/v1/users/me", "nonsense", 406},
		{"/v1/buildings/closed/assets/export", "text/csv", 200},
		{"/v1/buildings/closed/assets/export", "application/json", 406},
		{"/docs", "text/html,application/xhtml+xml", 200},
	} {
		rec := w.do(request{as: "admin", method: "GET", path: row.path, header: map[string]string{"Accept": row.accept}})
		if rec.Code != row.status {
			t.Errorf("%s with %q: status %d, want %d", row.path, row.accept, rec.Code, row.status)
		}
		if row.status == http.StatusNotAcceptable {
			httpkittest.WantProblem(t, rec, row.status)
		}
		if row.status == http.StatusOK && strings.HasPrefix(row.path, "/v1/users") &&
			rec.Header().Get("Content-Type") != httpkit.MediaJSON {
			t.Errorf("%s with %q: Content-Type %q", row.path, row.accept, rec.Header().Get("Content-Type"))
		}
	}
}

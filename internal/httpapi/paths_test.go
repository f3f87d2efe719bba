package httpapi

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"firemode/internal/httpkit/httpkittest"
)

func TestPath_CleanedOrRefused(t *testing.T) {
	t.Parallel()
	w := newFurnished(t)
	for path, status := range map[string]int{
		"/v1/buildings/closed":             200,
		"/v1/buildings/closed/":            200,
		"/v1//buildings///closed":          200,
		"//v1/buildings/closed//":          200,
		"/v1/%62uildings/closed":           200,
		"/v1/buildings":                    200,
		"/v1/buildings/":                   200,
		"/":                                404,
		"//":                               404,
		"/v1":                              404,
		"/v1/":                             404,
		"/v1/building":                     404,
		"/v1/../v1/buildings":              404,
		"/v1/./buildings":                  404,
		"/v1/%2e%2e/v1/buildings":          404,
		"/V1/buildings":                    404,
		"/v1/buildings/closed/assets/FE-1": 200,
		"/v1/buildings/a%2Fb":              400,
		"/v1/buildings/a%20b":              400,
		"/v1/buildings/%00":                400,
		"/v1/buildings/%FF":                400,
		"/v1/buildings/ü":                  400,
		"/v1/buildings/.closed":            400,
		"/v1/buildings/..closed/assets":    400,
		"/v1/buildings/" + strings.Repeat("x", 64):                    404,
		"/v1/buildings/" + strings.Repeat("x", 65):                    400,
		"/v1/buildings/" + strings.Repeat("x", 65) + "/assets/export": 400,
		"/v1/rules/a%20b":              400,
		"/v1/rules/none.such":          404,
		"/v1/buildings?%zz":            400,
		"/v1/buildings?a;b":            400,
		"/v1/buildings?q=%00":          400,
		"/v1/buildings?q=%FF":          400,
		"/v1/buildings?nothing=known":  200,
		"/v1/buildings/closed?limit=x": 200,
		"/docs/":                       200,
	} {
		rec := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.URL = parsed(t, path)
		r.Header.Set("Authorization", "Bearer "+w.tokens["admin"])
		w.ServeHTTP(rec, r)
		if status == http.StatusOK {
			if rec.Code != status {
				t.Errorf("%s: status %d, want 200: %s", path, rec.Code, rec.Body)
			}
			continue
		}
		if rec.Code != status {
			t.Errorf("%s: want %d", path, status)
		}
		httpkittest.WantProblem(t, rec, status)
	}
}

func TestMethod_NotAllowed_405(t *testing.T) {
	t.Parallel()
	w := newFurnished(t)
	for _, row := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{"HEAD", "/v1/buildings/closed", 200, ""},
		{"OPTIONS", "/v1/buildings/closed", 204, "GET, HEAD, PATCH, OPTIONS"},
		{"OPTIONS", "/v1/buildings/closed/", 204, "GET, HEAD, PATCH, OPTIONS"},
		{"OPTIONS", "/none", 404, ""},
		{"PUT", "/v1/buildings", 405, "GET, HEAD, POST, OPTIONS"},
		{"TRACE", "/v1/buildings", 405, "GET, HEAD, POST, OPTIONS"},
		{"CONNECT", "/v1/buildings", 405, "GET, HEAD, POST, OPTIONS"},
		{"get", "/v1/buildings", 405, "GET, HEAD, POST, OPTIONS"},
		{"BREW", "/v1//classify/", 405, "POST, OPTIONS"},
		{"POST", "/v1/none", 404, ""},
	} {
		rec := w.do(request{as: "admin", method: row.method, path: row.path})
		if rec.Code != row.status || rec.Header().Get("Allow") != row.allow {
			t.Errorf("%s %s: status %d, Allow %q; want %d, %q", row.method, row.path, rec.Code, rec.Header().Get("Allow"),
				row.status, row.allow)
		}
		if row.status >= 400 {
			httpkittest.WantProblem(t, rec, row.status)
		}
	}
}

// parsed reads a request target as net/http does.
func parsed(t testing.TB, target string) *url.URL {
	t.Helper()
	u, err := url.ParseRequestURI(target)
	must(t, err)
	return u
}

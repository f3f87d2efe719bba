package httpapi

import (
	"net/http"
	"testing"

	"firemode/internal/httpkit"
	"firemode/internal/httpkit/httpkittest"
)

func TestAccept_Lines(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.get(http.StatusCreated, as("manager", "POST", "/v1/buildings",
		`{"building_id":"b","site_name":"B","site_address":"S"}`))
	session := w.session(t, "s")
	for accept, media := range map[string]string{
		"":                           httpkit.MediaJSON,
		"*/*":                        httpkit.MediaJSON,
		"application/*":              httpkit.MediaJSON,
		httpkit.MediaJSON:            httpkit.MediaJSON,
		httpkit.MediaLines:           httpkit.MediaLines,
		"APPLICATION/X-NDJSON":       httpkit.MediaLines,
		httpkit.MediaLines + ", */*": httpkit.MediaLines,
		httpkit.MediaLines + ", " + httpkit.MediaJSON:       httpkit.MediaLines,
		httpkit.MediaJSON + ", " + httpkit.MediaLines:       httpkit.MediaLines,
		httpkit.MediaLines + ";q=0.5, " + httpkit.MediaJSON: httpkit.MediaJSON,
		httpkit.MediaLines + ", application/json;q=.5":      httpkit.MediaLines,
		httpkit.MediaLines + ";q=0, */*":                    httpkit.MediaJSON,
		httpkit.MediaLines + ";q=0":                         "",
		"text/html":                                         "",
	} {
		rec := w.do(request{
			as: "engineer", method: "GET", path: "/v1/tests/sessions/" + session + "/results",
			header: map[string]string{"Accept": accept},
		})
		if media == "" {
			httpkittest.WantProblem(t, rec, http.StatusNotAcceptable)
		} else if got := rec.Header().Get("Content-Type"); got != media {
			t.Errorf("%s: %s, want %s", accept, got, media)
		}
	}
}

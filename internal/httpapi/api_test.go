package httpapi

import (
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"firemode/internal/httpkit"
)

// A process that serves nothing else has the health endpoints and the metrics alone.
func TestNewHealth_OnlyHealthAndMetrics(t *testing.T) {
	t.Parallel()
	a, err := NewHealth(Config{
		Now: time.Now, NewID: newID,
		Report: httpkit.Report{Logger: slog.New(slog.DiscardHandler)}, Metrics: &observations{},
	})
	must(t, err)
	for path, want := range map[string]int{
		"/health": 200, "/health/live": 200, "/health/ready": 200, "/metrics": 404,
		"/v1/buildings": 404, "/docs": 404,
	} {
		rec := httptest.NewRecorder()
		a.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), "GET", path, nil))
		if rec.Code != want {
			t.Errorf("%s: %d, want %d", path, rec.Code, want)
		}
	}
}

func TestNew_NamesWhatIsMissing(t *testing.T) {
	_, err := New(Config{})
	for _, name := range []string{
		"Services.Auth", "Services.Catalogue", "Services.Buildings", "CursorKey", "Now",
		"NewID", "Report.Logger", "Metrics",
	} {
		if err == nil || !strings.Contains(err.Error(), "Config."+name+" ") {
			t.Errorf("%v does not name %s", err, name)
		}
	}
}

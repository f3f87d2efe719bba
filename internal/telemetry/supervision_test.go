package telemetry

import (
	"net/http/httptest"
	"strings"
	"testing"
)

func TestServices_UpAndRestartsCounted(t *testing.T) {
	m, err := NewMetrics(Config{})
	if err != nil {
		t.Fatal(err)
	}
	m.ServiceUp("janitor", true)
	page := func() string {
		rec := httptest.NewRecorder()
		m.Handler().ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil))
		return rec.Body.String()
	}
	for _, line := range []string{`supervised_service_up{service="janitor"} 1`, `supervised_service_restarts_total{service="janitor"} 0`} {
		if !strings.Contains(page(), line+"\n") {
			t.Errorf("no %s", line)
		}
	}
	m.ServiceUp("janitor", false)
	m.ServiceRestarted("janitor")
	for _, line := range []string{`supervised_service_up{service="janitor"} 0`, `supervised_service_restarts_total{service="janitor"} 1`} {
		if !strings.Contains(page(), line+"\n") {
			t.Errorf("no %s", line)
		}
	}
}

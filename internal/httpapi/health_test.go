package httpapi

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestReady_FollowsTheChecks(t *testing.T) {
	t.Parallel()
	broken := false
	w := newWorld(t, func(c *Config) {
		c.Operation.Checks["second"] = func(ctx context.Context) error {
			if deadline, ok := ctx.Deadline(); !ok || time.Until(deadline) > 2*time.Second {
				t.Error("a check without a deadline")
			}
			if broken {
				return errors.New("dial 10.0.0.1: refused")
			}
			return nil
		}
	})
	latency := regexp.MustCompile(`"latency_ms":[0-9.]+`)
	for _, row := range []struct {
		broken bool
		status int
		body   string
	}{
		{
			false, 200,
			`{"ready":true,"status":"healthy","checks":{"second":{"ok":true,"latency_ms":0,"state":"healthy"},"store":{"ok":true,"latency_ms":0,"state":"healthy"}}}`,
		},
		{
			true, 503,
			`{"ready":false,"status":"unhealthy","checks":{"second":{"ok":false,"latency_ms":0,"state":"unhealthy"},"store":{"ok":true,"latency_ms":0,"state":"healthy"}}}`,
		},
	} {
		broken = row.broken
		for _, path := range []string{"/health/ready", "/health"} {
			rec := w.do(request{method: "GET", path: path})
			if got := latency.ReplaceAllString(rec.Body.String(), `"latency_ms":0`); rec.Code != row.status || got != row.body {
				t.Errorf("%s: status %d, %s; want %d, %s", path, rec.Code, got, row.status, row.body)
			}
		}
	}
	if !strings.Contains(w.logs.String(), "second: dial 10.0.0.1: refused") {
		t.Error("the log does not say what is not ready")
	}
	if rec := w.do(request{method: "GET", path: "/health/live"}); rec.Code != http.StatusOK ||
		rec.Body.String() != `{"status":"healthy"}` {
		t.Errorf("live: %d %s", rec.Code, rec.Body)
	}
}

package app

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func TestNode_ReadyOnlyWhileServing(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	services, d := testServices(t)
	if err := services.Prepare(ctx); err != nil {
		t.Fatal(err)
	}
	n, err := newNode(Server{StopTimeout: time.Minute, MetricsSessions: 1}, services, d)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	readiness := func() (status int, body string) {
		rec := httptest.NewRecorder()
		n.server.Handler.ServeHTTP(
			rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/health/ready", nil),
		)
		return rec.Code, rec.Body.String()
	}
	if status, body := readiness(); status != http.StatusServiceUnavailable {
		t.Errorf("ready before serving: %s", body)
	}
	err = n.run(ctx, listener, func() {
		if status, body := readiness(); status != http.StatusOK {
			t.Errorf("not ready while serving: %s", body)
		}
		stop()
	})
	if err != nil {
		t.Errorf("run returned %v", err)
	}
	if status, body := readiness(); status != http.StatusServiceUnavailable {
		t.Errorf("ready after the stop: %s", body)
	}
}

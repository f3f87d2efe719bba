package app

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"firemode/internal/store"
)

func TestReadiness_Fault_NamedInCheck(t *testing.T) {
	t.Parallel()
	usual := Server{StopTimeout: time.Minute, MetricsSessions: 1}
	full := usual
	full.MinFreeMB = 1 << 40
	for _, c := range []struct {
		name           string
		config         Server
		store          changed
		status         int
		part           string
		state, message string
	}{
		{"an older schema", usual, changed{schema: &store.SchemaError{Have: 2, Known: 3}}, 503, "migrations", "unhealthy", "needs 3"},
		{"a newer schema", usual, changed{schema: &store.SchemaError{Have: 4, Known: 3}}, 200, "migrations", "degraded", "knows only 3"},
		{"a full disk", full, changed{}, 503, "disk", "unhealthy", "MB free on the disk of the data folder"},
		{"a slow database", usual, changed{ping: func(context.Context) error { time.Sleep(healthyRoundTrip); return nil }}, 200, "database", "degraded", "under 10ms is healthy"},
		{"a database that is gone", usual, changed{ping: func(context.Context) error {
			return &net.OpError{Op: "dial", Net: "tcp", Err: net.UnknownNetworkError("secret.internal")}
		}}, 503, "database", "unhealthy", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			status, r := askNode(
				t, c.config,
				hooks{store: func(s store.Database) store.Database { c.store.Database = s; return c.store }},
			)
			part := r.Checks[c.part]
			if status != c.status || r.Ready != (status == 200) || part.OK != r.Ready || part.State != c.state ||
				!strings.Contains(part.Message, c.message) {
				t.Errorf("%d %+v", status, r)
			}
			if c.message == "" && part.Message != "" {
				t.Errorf("message %q", part.Message)
			}
		})
	}
}

func TestReadiness_DatabaseHangs_AnswersWithin2s(t *testing.T) {
	t.Parallel()
	hang := make(chan struct{})
	defer close(hang)
	begun := time.Now()
	status, r := askNode(t, Server{StopTimeout: time.Minute}, hooks{store: func(s store.Database) store.Database {
		return changed{Database: s, ping: func(context.Context) error { <-hang; return nil }}
	}})
	part := r.Checks["database"]
	if status != 503 || part.OK || part.Message != "no answer within 2s" || r.Checks["disk"].State == "" ||
		time.Since(begun) > 20*time.Second {
		t.Errorf("after %s: %d %+v", time.Since(begun), status, r)
	}
}

// readiness is the response of /health/ready.
type readiness struct {
	Ready  bool
	Status string
	Checks map[string]struct {
		OK             bool
		State, Message string
	}
}

// askNode returns the readiness of a started node.
func askNode(t *testing.T, c Server, h hooks) (status int, r readiness) {
	t.Helper()
	services, d := testServices(t)
	if err := services.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	if h.store != nil {
		services.Store = h.store(services.Store)
	}
	n, err := newNode(c, services, d)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	err = n.run(ctx, listener, func() {
		rec := httptest.NewRecorder()
		n.server.Handler.ServeHTTP(rec, httptest.NewRequestWithContext(ctx, http.MethodGet, "/health/ready", nil))
		if err := json.Unmarshal(rec.Body.Bytes(), &r); err != nil {
			t.Error(err)
		}
		status = rec.Code
		stop()
	})
	if err != nil {
		t.Error(err)
	}
	return status, r
}

// changed is a store with another Ping or CheckSchema.
type changed struct {
	store.Database
	ping   func(context.Context) error
	schema error
}

func (c changed) Ping(ctx context.Context) error {
	if c.ping == nil {
		return c.Database.Ping(ctx)
	}
	return c.ping(ctx)
}

func (c changed) CheckSchema(context.Context) error { return c.schema }

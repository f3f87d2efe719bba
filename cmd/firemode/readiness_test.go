package main

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"firemode/internal/store"
	"firemode/internal/store/storetest/pgtest"
)

// readiness is the answer of /health/ready.
type readiness struct {
	Ready  bool
	Status string
	Checks map[string]struct {
		OK             bool
		State, Message string
	}
}

// askNode returns what a node that has not started says, apart from that it has not.
func askNode(t *testing.T, c Server, h hooks) (status int, r readiness) {
	t.Helper()
	services, o := testServices(t)
	if err := services.prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	if h.store != nil {
		services.store = h.store(services.store)
	}
	n, err := newNode(c, services, o)
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

// changed is a store that answers otherwise than the one it is made of.
type changed struct {
	store.Store
	ping   func(context.Context) error
	schema error
}

func (c changed) Ping(ctx context.Context) error {
	if c.ping == nil {
		return c.Store.Ping(ctx)
	}
	return c.ping(ctx)
}

func (c changed) CheckSchema(context.Context) error { return c.schema }

func TestReadinessSaysWhatIsTheMatter(t *testing.T) {
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
		{"a full disk", full, changed{}, 503, "disk", "unhealthy", "MB are free where the data is"},
		{"a slow database", usual, changed{ping: func(context.Context) error { time.Sleep(promptly); return nil }}, 200, "database", "degraded", "under 10ms is healthy"},
		{"a database that is gone", usual, changed{ping: func(context.Context) error {
			return &net.OpError{Op: "dial", Net: "tcp", Err: net.UnknownNetworkError("secret.internal")}
		}}, 503, "database", "unhealthy", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			status, r := askNode(t, c.config, hooks{store: func(s store.Store) store.Store { c.store.Store = s; return c.store }})
			part := r.Checks[c.part]
			if status != c.status || r.Ready != (status == 200) || part.OK != r.Ready || part.State != c.state || !strings.Contains(part.Message, c.message) {
				t.Errorf("%d %+v", status, r)
			}
			if c.message == "" && part.Message != "" {
				t.Errorf("it says %q", part.Message)
			}
		})
	}
}

// A check that hangs holds nobody up, and is asked only once however often readiness is.
func TestReadinessDoesNotWaitForAHangingDatabase(t *testing.T) {
	hang := make(chan struct{})
	defer close(hang)
	begun := time.Now()
	status, r := askNode(t, Server{StopTimeout: time.Minute}, hooks{store: func(s store.Store) store.Store {
		return changed{Store: s, ping: func(context.Context) error { <-hang; return nil }}
	}})
	part := r.Checks["database"]
	if status != 503 || part.OK || part.Message != "no answer within 2s" || r.Checks["disk"].State == "" || time.Since(begun) > 20*time.Second {
		t.Errorf("after %s: %d %+v", time.Since(begun), status, r)
	}
}

// What a node runs follows its role. What keeps its memory true runs wherever requests are served.
func TestRoles(t *testing.T) {
	url := pgtest.Empty(t)
	keys := t.TempDir()
	startRole(t, url, keys, roleAPI) // beside which the others run
	for role, want := range map[string]string{
		roleAPI:    "api backlog bundles classifications results revocations rules watch",
		roleWorker: "api backlog bundles classifications janitor results",
		roleAll:    "api backlog bundles classifications janitor results revocations rules watch",
	} {
		s := startRole(t, url, keys, role)
		_, body, err := fetch(s.url + "/health/ready")
		if err != nil {
			t.Fatal(err)
		}
		var r readiness
		if err := json.Unmarshal([]byte(body), &r); err != nil || !r.Ready {
			t.Errorf("%s: %s", role, body)
		}
		for _, service := range strings.Fields(want) {
			if r.Checks["service:"+service].State != "healthy" {
				t.Errorf("%s: no %s in %s", role, service, body)
			}
		}
		if got := strings.Count(body, `"service:`); got != len(strings.Fields(want)) {
			t.Errorf("%s runs %d services, want %s: %s", role, got, want, body)
		}
		if _, known := r.Checks["revocations"]; known != (role != roleWorker) {
			t.Errorf("%s: %s", role, body)
		}
		serves := http.StatusUnauthorized
		if role == roleWorker {
			serves = http.StatusNotFound
		}
		if status, body, err := fetch(s.url + "/v1/buildings"); err != nil || status != serves {
			t.Errorf("%s: %d %s %v", role, status, body, err)
		}
		if status, _, err := fetch(s.url + "/metrics"); err != nil || status != http.StatusOK {
			t.Errorf("%s: metrics %d %v", role, status, err)
		}
		s.stop()
		if err := <-s.result; err != nil {
			t.Errorf("%s: %v", role, err)
		}
	}
}

func startRole(t *testing.T, url, keys, role string) *server {
	t.Helper()
	s := startServer(t, "--db-url", url, "--keys", keys, "--role", role, "--min-free-mb", "0")
	go io.Copy(io.Discard, s.log) // it must not wait for a reader
	return s
}

func TestARoleNeedsPostgres(t *testing.T) {
	err := run(t.Context(), []string{"serve", "--role", "worker", "--data", t.TempDir(), "--addr", "127.0.0.1:0"}, nil, strings.NewReader(""), &strings.Builder{}, &strings.Builder{})
	if err == nil || !strings.Contains(err.Error(), "give --db-url") {
		t.Errorf("run returned %v", err)
	}
	err = run(t.Context(), []string{"serve", "--role", "king"}, nil, strings.NewReader(""), &strings.Builder{}, &strings.Builder{})
	if err == nil || !strings.Contains(err.Error(), "none of api, worker, all") {
		t.Errorf("run returned %v", err)
	}
}

// For a while a stop only says that it is about to happen, so that load balancers see it before the first connection is refused.
func TestDrainDelay(t *testing.T) {
	s := startServer(t, "--drain-delay", "1s")
	s.stop()
	s.untilStopping(t)
	status, body, err := fetch(s.url + "/health/ready")
	if err != nil || status != http.StatusServiceUnavailable || !strings.Contains(body, `"serving":{"ok":false,`) || !strings.Contains(body, "starting or stopping") {
		t.Errorf("%d %s %v", status, body, err)
	}
	if status, body, err := fetch(s.url + "/health/live"); err != nil || status != http.StatusOK {
		t.Errorf("%d %s %v", status, body, err)
	}
	if err := <-s.result; err != nil {
		t.Errorf("run returned %v", err)
	}
}

package app

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"firemode"
	"firemode/internal/catalogue"
	"firemode/internal/identity"
	"firemode/internal/store"
	"firemode/internal/store/storetest/pgtest"
	"firemode/internal/telemetry"
)

func TestNodes_Notifications_ChangesFollowed(t *testing.T) {
	t.Parallel()
	s := newCluster(t)
	here, there := s.join(t, never), s.join(t, never)
	tokens := here.staff(t, "tom", "tim", "tess")
	eventually(t, "both nodes listen", func() bool { return s.listeners(t) == 2 })
	follows(t, here, there, tokens, "tom", "tim")
	// A node that reconnects catches up with changes made meanwhile.
	there.must(t, http.StatusOK, tokens["tess"], "GET", me, "")
	s.disconnect(t)
	here.must(t, http.StatusNoContent, tokens["tess"], "POST", "/v1/auth/logout", "")
	eventually(t, "the node has caught up", func() bool {
		status, _ := there.ask(tokens["tess"], "GET", me, "")
		return status == http.StatusUnauthorized
	})
	eventually(t, "both nodes have reconnected", func() bool { return s.listeners(t) == 2 })
}

func TestNodes_NoNotifications_ChangesPolled(t *testing.T) {
	t.Parallel()
	s := newCluster(t)
	here, there := s.join(t, 0), s.join(t, 0)
	tokens := here.staff(t, "tom", "tim")
	eventually(t, "both nodes listen", func() bool { return s.listeners(t) == 2 })
	for _, m := range []*member{here, there} {
		m.connections(t, 8) // no further connections are allowed below
	}
	s.exec(t, "ALTER DATABASE "+s.database+" ALLOW_CONNECTIONS false")
	allow := func() { s.exec(t, "ALTER DATABASE "+s.database+" ALLOW_CONNECTIONS true") }
	t.Cleanup(allow)
	s.disconnect(t)
	eventually(t, "no node listens", func() bool { return s.listeners(t) == 0 })
	follows(t, here, there, tokens, "tom", "tim")
	if n := s.listeners(t); n != 0 {
		t.Fatalf("%d nodes listen", n)
	}
	allow()
	eventually(t, "both nodes have reconnected", func() bool { return s.listeners(t) == 2 })
}

// cluster is nodes that share one PostgreSQL database.
type cluster struct {
	storage  Storage
	admin    *pgx.Conn // to another database of the cluster
	database string
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	s := &cluster{storage: Storage{Data: t.TempDir(), DBURL: pgtest.New(t)}}
	u, err := url.Parse(s.storage.DBURL)
	if err != nil {
		t.Fatal(err)
	}
	s.database = strings.TrimPrefix(u.Path, "/")
	u.Path = "/postgres"
	if s.admin, err = pgx.Connect(t.Context(), u.String()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.admin.Close(context.Background()) })
	return s
}

func (s *cluster) exec(t *testing.T, statement string, args ...any) {
	t.Helper()
	if _, err := s.admin.Exec(context.Background(), statement, args...); err != nil {
		t.Fatal(err)
	}
}

const listening = " FROM pg_stat_activity WHERE datname = $1 AND application_name = 'firemode watch'"

// listeners returns the number of nodes that listen.
func (s *cluster) listeners(t *testing.T) (n int) {
	t.Helper()
	if err := s.admin.QueryRow(t.Context(), "SELECT count(*)"+listening+" AND query LIKE 'LISTEN%'", s.database).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// disconnect ends the connections on which nodes listen, and no others.
func (s *cluster) disconnect(t *testing.T) {
	t.Helper()
	s.exec(t, "SELECT pg_terminate_backend(pid)"+listening, s.database)
}

// member is a node of a cluster.
type member struct {
	*Services
	handler http.Handler
}

// join starts a node with its background jobs. It polls for changes of other nodes every poll; 0 is
// the default interval.
func (s *cluster) join(t *testing.T, poll time.Duration) *member {
	t.Helper()
	metrics, err := telemetry.NewMetrics(telemetry.Config{})
	if err != nil {
		t.Fatal(err)
	}
	d := Deps{Now: time.Now, Logger: slog.New(slog.DiscardHandler), Metrics: metrics}
	all, err := Open(t.Context(), s.storage, d)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := all.Close(); err != nil {
			t.Error(err)
		}
	})
	all.Catalogue.Close()
	if all.Catalogue, err = catalogue.New(all.Store, catalogue.Config{NewID: newID, Poll: poll}); err != nil {
		t.Fatal(err)
	}
	if all.Identity, err = identity.New(all.Store, identity.Config{Now: d.Now, NewID: newID, Keys: all.Keys, Poll: poll}); err != nil {
		t.Fatal(err)
	}
	if err := all.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	n, err := newNode(Server{}, all, d)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var jobs sync.WaitGroup
	for _, job := range all.background(Server{Role: RoleAll}, d) {
		jobs.Go(func() {
			if err := job.run(ctx); err != nil {
				t.Errorf("%s returned %v", job.name, err)
			}
		})
	}
	t.Cleanup(func() {
		stop()
		jobs.Wait()
	})
	return &member{all, n.server.Handler}
}

// ask returns the status and the body of a response.
func (m *member) ask(token, method, path, body string) (int, string) {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+token)
	rec := httptest.NewRecorder()
	m.handler.ServeHTTP(rec, r)
	return rec.Code, rec.Body.String()
}

// must requires a response with status.
func (m *member) must(t *testing.T, status int, token, method, path, body string) {
	t.Helper()
	if got, answer := m.ask(token, method, path, body); got != status {
		t.Fatalf("%s %s: status %d, want %d: %s", method, path, got, status, answer)
	}
}

// staff creates an organisation with an administrator and technicians, and returns their tokens.
func (m *member) staff(t *testing.T, names ...string) (tokens map[string]string) {
	t.Helper()
	if err := m.Identity.AddOrganisation(t.Context(), "acme", "Acme"); err != nil {
		t.Fatal(err)
	}
	tokens = map[string]string{}
	for _, name := range append(names, "ada") {
		role := firemode.RoleTechnician
		if name == "ada" {
			role = firemode.RoleAdmin
		}
		_, err := m.Identity.CreateUser(identity.AsOperator(t.Context(), "acme"), identity.NewUser{
			ID: firemode.UserID("u-" + name), Username: name, FullName: name, Role: role, Password: "correct horse",
		})
		if err != nil {
			t.Fatal(err)
		}
		if tokens[name], err = m.Identity.AccessToken(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	return tokens
}

const (
	me    = "/v1/users/me"
	rule  = "/v1/rules/AS1851-2012-FE-01"
	rule9 = `{"rule_code":"AS1851-2012-FE-01","version":"9.0.0","rule_name":"Ours","rule_schema":{"classification_mappings":{"broken":"critical_defect"}}}`
)

// follows checks that there learns of changes made on here: first logs out, second is disabled, a
// rule version is created and deactivated.
func follows(t *testing.T, here, there *member, tokens map[string]string, first, second string) {
	t.Helper()
	revoked := func(who string) {
		eventually(t, "the token of "+who+" is revoked", func() bool {
			status, _ := there.ask(tokens[who], "GET", me, "")
			return status == http.StatusUnauthorized
		})
	}
	inForce := func(version string, is bool) {
		eventually(t, "the version changes", func() bool {
			_, body := there.ask(tokens["ada"], "GET", rule, "")
			return strings.Contains(body, `"version":"`+version+`"`) == is
		})
	}
	there.must(t, http.StatusOK, tokens[first], "GET", me, "")
	there.must(t, http.StatusOK, tokens[second], "GET", me, "")
	there.must(t, http.StatusOK, tokens["ada"], "GET", rule, "")
	here.must(t, http.StatusNoContent, tokens[first], "POST", "/v1/auth/logout", "")
	revoked(first)
	here.must(t, http.StatusOK, tokens["ada"], "PATCH", "/v1/users/u-"+second, `{"disabled":true}`)
	revoked(second)
	here.must(t, http.StatusCreated, tokens["ada"], "POST", "/v1/rules", rule9)
	inForce("9.0.0", true)
	here.must(t, http.StatusOK, tokens["ada"], "POST", rule+"/versions/9.0.0/deactivate", "")
	inForce("9.0.0", false)
}

// never is a poll interval longer than any test, so that nodes learn of changes by notifications
// only.
const never = 24 * time.Hour

// connections makes the pool of the node open n connections, which it keeps.
func (m *member) connections(t *testing.T, n int) {
	t.Helper()
	var open, all sync.WaitGroup
	open.Add(n)
	for range n {
		all.Go(func() {
			err := m.Store.View(t.Context(), func(tx store.ReadTx) error {
				open.Done()
				open.Wait()
				_, err := store.As[store.OrganisationReader](tx).Organisations(t.Context())
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

// eventually polls until is returns true, for at most 30 s.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	deadline, tick := time.After(30*time.Second), time.NewTicker(5*time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not seen in 30 s: %s", what)
		}
	}
}

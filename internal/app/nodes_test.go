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

// site is a PostgreSQL on which nodes work together.
type site struct {
	storage  Storage
	admin    *pgx.Conn // to another database of the cluster
	database string
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{storage: Storage{Data: t.TempDir(), DBURL: pgtest.New(t)}}
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

func (s *site) exec(t *testing.T, statement string, args ...any) {
	t.Helper()
	if _, err := s.admin.Exec(context.Background(), statement, args...); err != nil {
		t.Fatal(err)
	}
}

const listening = " FROM pg_stat_activity WHERE datname = $1 AND application_name = 'firemode watch'"

// listeners counts the nodes that listen.
func (s *site) listeners(t *testing.T) (n int) {
	t.Helper()
	if err := s.admin.QueryRow(t.Context(), "SELECT count(*)"+listening+" AND query LIKE 'LISTEN%'", s.database).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// hangUp ends the connections on which nodes listen, and no others.
func (s *site) hangUp(t *testing.T) {
	t.Helper()
	s.exec(t, "SELECT pg_terminate_backend(pid)"+listening, s.database)
}

// member is a node of a site.
type member struct {
	*Services
	handler http.Handler
}

// join starts a node with what runs behind it. It looks for what others change every poll, 0 for as
// often as it does by itself.
func (s *site) join(t *testing.T, poll time.Duration) *member {
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
	var parts sync.WaitGroup
	for _, part := range all.background(Server{Role: RoleAll}, d) {
		parts.Go(func() {
			if err := part.run(ctx); err != nil {
				t.Errorf("%s returned %v", part.name, err)
			}
		})
	}
	t.Cleanup(func() {
		stop()
		parts.Wait()
	})
	return &member{all, n.server.Handler}
}

// ask returns the status and the body of an answer.
func (m *member) ask(token, method, path, body string) (int, string) {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+token)
	rec := httptest.NewRecorder()
	m.handler.ServeHTTP(rec, r)
	return rec.Code, rec.Body.String()
}

// must asks for what must be answered with status.
func (m *member) must(t *testing.T, status int, token, method, path, body string) {
	t.Helper()
	if got, answer := m.ask(token, method, path, body); got != status {
		t.Fatalf("%s %s: status %d, want %d: %s", method, path, got, status, answer)
	}
}

// staff makes an organisation with an administrator and technicians, and returns tokens of theirs.
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

// follows tries that there does what here has done: a logout of first, another role for second, a
// new version, and its end.
func follows(t *testing.T, here, there *member, tokens map[string]string, first, second string) {
	t.Helper()
	void := func(who string) {
		eventually(t, "the token of "+who+" is void", func() bool {
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
	void(first)
	here.must(t, http.StatusOK, tokens["ada"], "PATCH", "/v1/users/u-"+second, `{"disabled":true}`)
	void(second)
	here.must(t, http.StatusCreated, tokens["ada"], "POST", "/v1/rules", rule9)
	inForce("9.0.0", true)
	here.must(t, http.StatusOK, tokens["ada"], "POST", rule+"/versions/9.0.0/deactivate", "")
	inForce("9.0.0", false)
}

// never is a poll that no test lives to see: what is learnt is learnt by being told.
const never = 24 * time.Hour

func TestNodesAreToldOfEachOthersChanges(t *testing.T) {
	s := newSite(t)
	here, there := s.join(t, never), s.join(t, never)
	tokens := here.staff(t, "tom", "tim", "tess")
	eventually(t, "both nodes listen", func() bool { return s.listeners(t) == 2 })
	follows(t, here, there, tokens, "tom", "tim")
	// What happens while nobody listens is caught up with once somebody does again.
	there.must(t, http.StatusOK, tokens["tess"], "GET", me, "")
	s.hangUp(t)
	here.must(t, http.StatusNoContent, tokens["tess"], "POST", "/v1/auth/logout", "")
	eventually(t, "the node has caught up", func() bool {
		status, _ := there.ask(tokens["tess"], "GET", me, "")
		return status == http.StatusUnauthorized
	})
	eventually(t, "both nodes listen again", func() bool { return s.listeners(t) == 2 })
}

func TestNodesThatCannotListenLookByThemselves(t *testing.T) {
	s := newSite(t)
	here, there := s.join(t, 0), s.join(t, 0)
	tokens := here.staff(t, "tom", "tim")
	eventually(t, "both nodes listen", func() bool { return s.listeners(t) == 2 })
	for _, m := range []*member{here, there} {
		m.connections(t, 8) // there will be no further ones
	}
	s.exec(t, "ALTER DATABASE "+s.database+" ALLOW_CONNECTIONS false")
	allow := func() { s.exec(t, "ALTER DATABASE "+s.database+" ALLOW_CONNECTIONS true") }
	t.Cleanup(allow)
	s.hangUp(t)
	eventually(t, "nobody listens", func() bool { return s.listeners(t) == 0 })
	follows(t, here, there, tokens, "tom", "tim")
	if n := s.listeners(t); n != 0 {
		t.Fatalf("%d nodes listen", n)
	}
	allow()
	eventually(t, "both nodes listen again", func() bool { return s.listeners(t) == 2 })
}

// connections has the pool of the node open n connections, which it keeps.
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

// eventually waits for what must come about.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	deadline, again := time.After(30*time.Second), time.NewTicker(5*time.Millisecond)
	defer again.Stop()
	for !is() {
		select {
		case <-again.C:
		case <-deadline:
			t.Fatalf("it never came about that %s", what)
		}
	}
}

// Package pgtest gives tests PostgreSQL databases of their own: one throwaway cluster per test process, started when it is first
// needed. A package that uses it calls Main from its TestMain.
//
// The cluster sorts by an Australian English locale, so that whatever relies on the database's own collation shows. It does
// not flush to the disk. It is gone when the test process is, however that ends.
package pgtest

import (
	"context"
	"fmt"
	"net/url"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"firemode/internal/store/postgres"
)

// Main runs the tests, then stops the cluster: os.Exit(pgtest.Main(m)).
func Main(m *testing.M) int {
	code := m.Run()
	if shared.server != nil {
		if err := shared.server.stop(); err != nil {
			fmt.Println("pgtest:", err)
			return 1
		}
	}
	return code
}

// New returns the URL of a database with the newest schema and no rows. When the test ends its rows are deleted and another test
// gets it, which is some ten times cheaper than a new one: do not change its schema.
func New(t testing.TB) string {
	t.Helper()
	s := started(t)
	name := s.takeIdle()
	if name == "" {
		name = s.create(t, template)
	}
	t.Cleanup(func() {
		if err := wipe(s.url(name)); err != nil {
			t.Errorf("pgtest: %v", err)
			s.drop(t, name)
			return
		}
		s.giveIdle(name)
	})
	return s.url(name)
}

// Empty returns the URL of a new database with nothing in it, dropped when the test ends.
func Empty(t testing.TB) string {
	t.Helper()
	s := started(t)
	name := s.create(t, "template0")
	t.Cleanup(func() { s.drop(t, name) })
	return s.url(name)
}

// template is the database that New copies.
const template = "firemode_template"

// shared is the cluster of this test process.
var shared struct {
	once   sync.Once
	server *server
	err    error
}

func started(t testing.TB) *server {
	t.Helper()
	shared.once.Do(func() { shared.err = startShared(context.Background()) })
	if shared.err != nil {
		t.Fatalf("pgtest: %v", shared.err)
	}
	return shared.server
}

func startShared(ctx context.Context) (err error) {
	if shared.server, err = start(ctx); err != nil {
		return err
	}
	if shared.server.admin, err = pgxpool.New(ctx, shared.server.url("postgres")); err != nil {
		return err
	}
	if _, err := shared.server.admin.Exec(ctx, "CREATE DATABASE "+template); err != nil {
		return err
	}
	s, err := postgres.Open(ctx, postgres.Config{URL: shared.server.url(template)})
	if err != nil {
		return err
	}
	defer s.Close() //nolint:errcheck // it cannot fail
	return s.Migrate(ctx)
}

// wipe deletes every row. It fails when the test has left a transaction open.
func wipe(url string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer c.Close(ctx) //nolint:errcheck // nothing is left to lose
	_, err = c.Exec(ctx, `
		SET lock_timeout = '5s';
		SET session_replication_role = replica; -- foreign keys would want an order
		DO $$ DECLARE name text; BEGIN
			FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'goose_db_version' LOOP
				EXECUTE format('DELETE FROM %I', name);
			END LOOP;
		END $$`)
	return err
}

func (s *server) create(t testing.TB, from string) string {
	t.Helper()
	name := fmt.Sprintf("test_%d", s.count.Add(1))
	s.exec(t, "CREATE DATABASE "+name+" TEMPLATE "+from)
	return name
}

func (s *server) drop(t testing.TB, name string) {
	t.Helper()
	s.exec(t, "DROP DATABASE "+name+" WITH (FORCE)")
}

func (s *server) exec(t testing.TB, statement string) {
	t.Helper()
	if _, err := s.admin.Exec(context.Background(), statement); err != nil {
		t.Errorf("pgtest: %s: %v", statement, err)
	}
}

// takeIdle returns the name of a wiped database, "" when there is none.
func (s *server) takeIdle() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.idle) == 0 {
		return ""
	}
	name := s.idle[len(s.idle)-1]
	s.idle = s.idle[:len(s.idle)-1]
	return name
}

func (s *server) giveIdle(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.idle = append(s.idle, name)
}

func (s *server) url(database string) string {
	return (&url.URL{Scheme: "postgres", User: url.User(superuser), Path: "/" + database, RawQuery: "host=" + url.QueryEscape(s.dir)}).String()
}

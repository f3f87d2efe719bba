// Package pgtest gives tests PostgreSQL databases of their own: one throwaway cluster per test process, started when it is first
// needed, in which each test gets a copy of a migrated template. A package that uses it calls Main from its TestMain.
//
// The cluster sorts by an Australian English locale, so that whatever relies on the database's own collation shows. It does
// not flush to the disk. It is gone when the test process is, however that ends.
package pgtest

import (
	"context"
	"fmt"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"

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

// New returns the URL of a new database with the newest schema, dropped when the test ends.
func New(t testing.TB) string { return database(t, template) }

// Empty returns the URL of a new database with nothing in it, dropped when the test ends.
func Empty(t testing.TB) string { return database(t, "template0") }

// template is the database that New copies.
const template = "firemode_template"

// shared is the cluster of this test process.
var shared struct {
	once   sync.Once
	server *server
	admin  *pgxpool.Pool
	err    error
	count  atomic.Int64
}

func database(t testing.TB, from string) string {
	t.Helper()
	shared.once.Do(func() { shared.err = startShared() })
	if shared.err != nil {
		t.Fatalf("pgtest: %v", shared.err)
	}
	name := fmt.Sprintf("test_%d", shared.count.Add(1))
	admin := func(statement string) {
		if _, err := shared.admin.Exec(context.Background(), statement); err != nil {
			t.Errorf("pgtest: %s: %v", statement, err)
		}
	}
	admin("CREATE DATABASE " + name + " TEMPLATE " + from)
	t.Cleanup(func() { admin("DROP DATABASE " + name + " WITH (FORCE)") })
	return shared.server.url(name)
}

func startShared() (err error) {
	ctx := context.Background()
	if shared.server, err = start(ctx); err != nil {
		return err
	}
	if shared.admin, err = pgxpool.New(ctx, shared.server.url("postgres")); err != nil {
		return err
	}
	if _, err := shared.admin.Exec(ctx, "CREATE DATABASE "+template); err != nil {
		return err
	}
	s, err := postgres.Open(ctx, postgres.Config{URL: shared.server.url(template)})
	if err != nil {
		return err
	}
	defer s.Close() //nolint:errcheck // it cannot fail
	return s.Migrate(ctx)
}

func (s *server) url(database string) string {
	return (&url.URL{Scheme: "postgres", User: url.User(superuser), Path: "/" + database, RawQuery: "host=" + url.QueryEscape(s.dir)}).String()
}

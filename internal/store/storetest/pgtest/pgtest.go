// Package pgtest gives tests PostgreSQL databases of their own, in a throwaway cluster. A package
// that uses it calls Main from its TestMain.
//
// A test process uses the cluster that the environment variable FIREMODE_TEST_POSTGRES names (see
// Cluster.Env). Without the variable it starts a cluster of its own when a test first needs one. No
// test may stop or reconfigure the cluster, nor create roles, since the tests of other packages use
// it at the same time.
//
// The cluster sorts by an Australian English locale, so that code which relies on the database's
// own collation fails. It does not flush to the disk. It stops when the process that started it
// ends, however that ends.
package pgtest

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"firemode/internal/store/postgres"
)

// sharedEnv names the environment variable with the folder of a cluster that another process
// started and will stop.
const sharedEnv = "FIREMODE_TEST_POSTGRES"

// template is the database that New copies.
const template = "firemode_template"

// Main runs the tests, then stops the cluster of this process, if there is one:
// os.Exit(pgtest.Main(m)).
func Main(m *testing.M) int {
	code := m.Run()
	if p := process.server; p != nil {
		if err := p.stop(); err != nil {
			fmt.Println("pgtest:", err)
			return 1
		}
	}
	return code
}

// New returns the URL of a database with the newest schema and no rows. When the test ends its rows
// are deleted and another test gets it, which is about ten times cheaper than a new one: do not
// change its schema.
func New(t testing.TB) string {
	t.Helper()
	s := connected(t)
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
	s := connected(t)
	name := s.create(t, "template0")
	t.Cleanup(func() { s.drop(t, name) })
	return s.url(name)
}

// process holds the connection of this test process.
var process struct {
	once   sync.Once
	server *server
	err    error
}

// server is a cluster as a test process uses it.
type server struct {
	dir   string
	own   *Cluster // nil if another process stops the cluster
	admin *pgxpool.Pool
	count atomic.Int64 // databases created so far

	mu   sync.Mutex
	idle []string // names of wiped databases
}

func connected(t testing.TB) *server {
	t.Helper()
	process.once.Do(func() { process.server, process.err = connect(context.Background()) })
	if process.err != nil {
		t.Fatalf("pgtest: %v", process.err)
	}
	return process.server
}

func connect(ctx context.Context) (s *server, err error) {
	s = &server{dir: os.Getenv(sharedEnv)}
	if s.dir == "" {
		if s.own, err = Start(ctx); err != nil {
			return nil, err
		}
		s.dir = s.own.dir
	}
	s.admin, err = pgxpool.New(ctx, s.url("postgres"))
	return s, err
}

func (s *server) stop() error {
	if s.admin != nil {
		s.admin.Close()
	}
	if s.own == nil {
		return nil
	}
	return s.own.Stop()
}

// makeTemplate creates the database that New copies in the cluster in dir.
func makeTemplate(ctx context.Context, dir string) error {
	c, err := pgx.Connect(ctx, urlOf(dir, "postgres"))
	if err != nil {
		return err
	}
	defer c.Close(ctx) //nolint:errcheck // the statement has succeeded or failed by then
	if _, err := c.Exec(ctx, "CREATE DATABASE "+template); err != nil {
		return err
	}
	s, err := postgres.Open(ctx, postgres.Config{URL: urlOf(dir, template)})
	if err != nil {
		return err
	}
	defer s.Close() //nolint:errcheck // it cannot fail
	return s.Migrate(ctx)
}

// wipe deletes every row. It fails when the test has left a transaction open.
func wipe(url string) error {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	c, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer c.Close(ctx) //nolint:errcheck // the statement has succeeded or failed by then
	_, err = c.Exec(ctx, `
		SET lock_timeout = '5s';
		SET session_replication_role = replica; -- otherwise foreign keys require an order
		DO $$ DECLARE name text; BEGIN
			FOR name IN SELECT tablename FROM pg_tables
				WHERE schemaname = 'public' AND tablename <> 'goose_db_version' LOOP
				EXECUTE format('DELETE FROM %I', name);
			END LOOP;
		END $$`)
	return err
}

// create returns the name of a new database. The process id keeps names apart in a shared cluster.
func (s *server) create(t testing.TB, from string) string {
	t.Helper()
	name := fmt.Sprintf("test_%d_%d", os.Getpid(), s.count.Add(1))
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

func (s *server) url(database string) string { return urlOf(s.dir, database) }

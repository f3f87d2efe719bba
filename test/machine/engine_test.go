package machine

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"firemode/internal/backup"
	"firemode/internal/store"
	"firemode/internal/store/postgres"
	"firemode/internal/store/sqlite"
	"firemode/internal/store/storetest/pgtest"
)

// engine is a database that can be backed up and restored.
type engine interface {
	open(ctx context.Context, now func() time.Time) (store.Database, error)
	online() bool // whether backup works beside a server, whose store it is then given
	backup(ctx context.Context, s store.Database) (copied string, err error)
	restore(ctx context.Context, copied string) error // nothing is open on the database
}

// engines are those that everything is driven on.
var engines = []struct {
	name string
	make func(testing.TB) engine
}{{"sqlite", newSQLite}, {"postgres", newPostgres}}

// file is an SQLite database. It is not flushed: power cuts are attacked elsewhere.
type file struct {
	dir, path string
	made      int
}

func newSQLite(t testing.TB) engine {
	dir := t.TempDir()
	return &file{dir: dir, path: filepath.Join(dir, "firemode.db")}
}

func (f *file) open(ctx context.Context, now func() time.Time) (store.Database, error) {
	return sqlite.Open(ctx, sqlite.Config{Path: f.path, Now: now, Scratch: true})
}

func (f *file) online() bool { return true }

// backup is what `firemode backup` does.
func (f *file) backup(ctx context.Context, s store.Database) (string, error) {
	f.made++
	copied := filepath.Join(f.dir, fmt.Sprint("copy-", f.made))
	if err := s.(*sqlite.Store).Backup(ctx, copied); err != nil {
		return "", err
	}
	out, err := os.Create(copied + ".tar")
	if err != nil {
		return "", err
	}
	_, err = backup.Write(out, backup.Manifest{}, []backup.Source{{Name: "firemode.db", Path: copied}})
	return copied + ".tar", errors.Join(err, out.Close(), os.Remove(copied))
}

// restore is what `firemode restore` does, up to the new epoch.
func (f *file) restore(_ context.Context, copied string) error {
	in, err := os.Open(copied)
	if err != nil {
		return err
	}
	defer in.Close()
	f.made++
	dir := filepath.Join(f.dir, fmt.Sprint("restored-", f.made))
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	f.path = filepath.Join(dir, "firemode.db")
	_, err = backup.Extract(in, dir)
	return err
}

// cluster is a PostgreSQL database. It is copied as a template, which comes to the same rows as
// pg_dump and pg_restore in a fifth of the time, and needs that nobody is connected.
type cluster struct {
	url   *url.URL
	first string
	admin *pgx.Conn
	made  []string
}

func newPostgres(t testing.TB) engine {
	u, err := url.Parse(pgtest.New(t))
	must(t, err)
	c := &cluster{url: u, first: u.Path[1:]}
	at := *u
	at.Path = "/postgres"
	c.admin, err = pgx.Connect(t.Context(), at.String())
	must(t, err)
	t.Cleanup(func() {
		ctx := context.Background() // the test's is over
		for _, name := range c.made {
			_, err := c.admin.Exec(ctx, "DROP DATABASE "+name+" WITH (FORCE)")
			must(t, err)
		}
		must(t, c.admin.Close(ctx))
	})
	return c
}

func (c *cluster) open(ctx context.Context, now func() time.Time) (store.Database, error) {
	return postgres.Open(ctx, postgres.Config{URL: c.url.String(), Now: now})
}

func (c *cluster) online() bool { return false }

func (c *cluster) backup(ctx context.Context, _ store.Database) (string, error) {
	return c.copy(ctx, c.url.Path[1:])
}

func (c *cluster) restore(ctx context.Context, copied string) error {
	name, err := c.copy(ctx, copied)
	c.url.Path = "/" + name
	return err
}

// copy makes a copy of a database. A connection that was closed a moment ago may still be there for
// the server.
func (c *cluster) copy(ctx context.Context, from string) (string, error) {
	if _, err := c.admin.Exec(
		ctx, "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1", from,
	); err != nil {
		return "", err
	}
	name := fmt.Sprint(c.first, "_", len(c.made))
	if _, err := c.admin.Exec(ctx, "CREATE DATABASE "+name+" TEMPLATE "+from); err != nil {
		return "", err
	}
	c.made = append(c.made, name)
	return name, nil
}

package storetest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"firemode/internal/store"
	"firemode/internal/store/sqlite"
)

// OpenSQLite returns a new, migrated SQLite store in the test's temporary folder, closed when the
// test ends.
func OpenSQLite(t testing.TB) store.Database { return OpenSQLiteAt(t, time.Now) }

// OpenSQLiteAt is OpenSQLite with the clock that transactions go by.
func OpenSQLiteAt(t testing.TB, now func() time.Time) store.Database {
	t.Helper()
	file, err := migrated()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "firemode.db")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := sqlite.Open(t.Context(), sqlite.Config{Path: path, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// migrated returns the bytes of an empty database with the newest schema. With the race detector,
// copying them is much cheaper than migrating a database for each test.
var migrated = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "firemode-sqlite-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "firemode.db")
	s, err := sqlite.Open(context.Background(), sqlite.Config{Path: path})
	if err != nil {
		return nil, err
	}
	if err := errors.Join(s.Migrate(context.Background()), s.Close()); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

package storetest

import (
	"path/filepath"
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
	s, err := sqlite.Open(t.Context(), sqlite.Config{Path: filepath.Join(t.TempDir(), "firemode.db"), Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

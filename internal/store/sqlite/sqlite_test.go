package sqlite_test

import (
	"database/sql"
	"fmt"
	"net/url"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"firemode/internal/store"
	"firemode/internal/store/sqlite"
	"firemode/internal/store/storetest"
)

func TestContract(t *testing.T) { storetest.Run(t, storetest.OpenSQLite) }

func TestSchema(t *testing.T) { storetest.RunSchema(t, emptyFile) }

func emptyFile(t testing.TB) storetest.Empty {
	path := filepath.Join(t.TempDir(), "a ? % & # path.db")
	return storetest.Empty{
		Open: func() store.Store { return open(t, path) },
		Exec: func(statement string) { exec(t, path, statement) },
	}
}

func open(t testing.TB, path string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), sqlite.Config{Path: path})
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

// exec runs a statement on a connection of its own, as another program would.
func exec(t testing.TB, path, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: path}).String())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

// TestMain finds the goroutines that a closed store has left behind.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestListCost(t *testing.T) {
	storetest.ListCost(t, "sqlite", emptyFile, func(n int) string {
		return fmt.Sprintf("(WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < %d) SELECT n FROM numbers)", n)
	})
}

package sqlite_test

import (
	"database/sql"
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
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
		Open: func() store.Database { return open(t, path) },
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

// What a merge asks for is found by an index that knows more of it than which session it is in, but
// where that is all there is to know. SQLite has no statistics, so a plan is the same however long
// the past.
func TestNarrow(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "firemode.db"))
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	storetest.AskNarrow(t, s)
	wide := regexp.MustCompile(`^SEARCH .*\((org=\?)(
		AND session_id=\?)?\)$|^SCAN (o|b|d|batches|ops|items|defects|actors|answers|session_heads)\b`)
	known := regexp.MustCompile(`^SEARCH (session_heads USING|batches USING INDEX batches_late) `)
	plans := sqlite.Plans(t, s)
	if len(plans) < 20 {
		t.Errorf("%d statements were looked at", len(plans))
	}
	for query, plan := range plans {
		for _, step := range plan {
			if wide.MatchString(step) && !known.MatchString(step) {
				t.Errorf("%s\nin %s", step, query)
			}
		}
	}
}

func TestListCost(t *testing.T) {
	storetest.ListCost(t, "sqlite", emptyFile, func(n int) string {
		return fmt.Sprintf("(WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers "+
			"WHERE n < %d) SELECT n FROM numbers)", n)
	})
}

package postgres_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"

	"firemode/internal/store"
	"firemode/internal/store/postgres"
	"firemode/internal/store/storetest"
	"firemode/internal/store/storetest/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

func TestContract(t *testing.T) {
	storetest.Run(t, func(t testing.TB) store.Database { return open(t, pgtest.New(t)) })
}

func TestSchema(t *testing.T) { storetest.RunSchema(t, emptyDatabase) }

func TestNarrow(t *testing.T) { storetest.RunNarrow(t, emptyDatabase, postgres.RowsRead) }

func TestListCost(t *testing.T) {
	storetest.ListCost(t, "postgres", emptyDatabase, func(n int) string {
		return fmt.Sprintf("generate_series(1, "+
			"%d) n", n)
	})
}

func emptyDatabase(t testing.TB) storetest.Empty {
	url := pgtest.Empty(t)
	return storetest.Empty{
		Open: func() store.Database { return open(t, url) },
		Exec: func(statement string) { exec(t, url, statement) },
	}
}

func open(t testing.TB, url string) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), postgres.Config{URL: url})
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
func exec(t testing.TB, url, statement string) {
	t.Helper()
	c, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(t.Context())
	if _, err := c.Exec(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

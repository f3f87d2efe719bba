package postgres_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
	"firemode/internal/store/postgres"
	"firemode/internal/store/storetest/pgtest"
)

// TestYoungTablesAreAnalysed holds that the planner is told of rows as they come, not when
// autovacuum next looks.
func TestYoungTablesAreAnalysed(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	for _, c := range []struct{ rows, analyses int }{{499, 0}, {500, 1}} {
		before := analyses(t, url)
		s, err := postgres.Open(t.Context(), postgres.Config{URL: url})
		if err != nil {
			t.Fatal(err)
		}
		ops := make([]ledger.Op, c.rows)
		for i := range ops {
			ops[i] = ledger.Op{Op: crdt.Op{
				Path: "/test", Kind: crdt.Set, Value: "1", Seq: int64(c.rows),
				Dot: crdt.Dot{Index: i},
			}, Merged: 1}
		}
		err = s.Update(t.Context(), func(tx store.Tx) error {
			return store.As[store.OpWriter](tx).InsertOps(t.Context(), ledger.SessionRef{Org: "o", Session: "s"}, ops)
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil { // waits for the analysis
			t.Fatal(err)
		}
		if got := analyses(t, url) - before; got != c.analyses {
			t.Errorf("%d rows had ops analysed %d times, want %d", c.rows, got, c.analyses)
		}
	}
}

// analyses returns how often the table ops was analysed by command.
func analyses(t *testing.T, url string) (n int) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.QueryRow(t.Context(), "SELECT analyze_count FROM pg_stat_user_tables "+
		"WHERE relname = 'ops'").Scan(&n); err != nil {
		t.Error(err)
	}
	if err := conn.Close(t.Context()); err != nil {
		t.Error(err)
	}
	return n
}

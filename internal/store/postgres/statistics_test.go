package postgres_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"firemode/internal/crdt"
	"firemode/internal/store"
	"firemode/internal/store/postgres"
	"firemode/internal/store/storetest/pgtest"
)

// TestYoungTablesAreAnalysed holds that the planner knows of rows long before autovacuum would tell it.
func TestYoungTablesAreAnalysed(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	for _, c := range []struct {
		rows     int
		analysed bool
	}{{499, false}, {500, true}} {
		s, err := postgres.Open(t.Context(), postgres.Config{URL: url})
		if err != nil {
			t.Fatal(err)
		}
		ref := store.SessionRef{Org: "o", Session: "s"}
		ops := make([]store.Op, c.rows)
		for i := range ops {
			ops[i] = store.Op{Op: crdt.Op{Path: "/test", Kind: crdt.Set, Value: "1", Seq: int64(c.rows), Dot: crdt.Dot{Index: i}}, Merged: 1}
		}
		err = s.Update(t.Context(), func(tx store.Tx) error { return tx.InsertOps(t.Context(), ref, ops) })
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil { // waits for the analysis
			t.Fatal(err)
		}
		conn, err := pgx.Connect(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		var analysed bool
		err = conn.QueryRow(t.Context(), "SELECT reltuples >= 499 FROM pg_class WHERE oid = 'ops'::regclass").Scan(&analysed)
		if err != nil || analysed != c.analysed {
			t.Errorf("after %d rows ops is analysed: %t, want %t (%v)", c.rows, analysed, c.analysed, err)
		}
		if err := conn.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

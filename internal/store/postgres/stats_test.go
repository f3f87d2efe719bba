package postgres_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"firemode/internal/store"
	"firemode/internal/store/postgres"
	"firemode/internal/store/storetest/pgtest"
)

// Counting what is open reads an index of that, and not the heads of all sessions there ever were.
func TestBacklogReadsWhatIsOpen(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	for _, statement := range []string{
		`INSERT INTO organisations VALUES ('o', 'O', 0)`,
		`INSERT INTO buildings (org, id, name, address, name_key, address_key, search, metadata, owners, status,
			version, created_at)
			VALUES ('o', 'b', '', '', '', '', '', '{}', '[]', 'active', 1, 0)`,
		`INSERT INTO sessions (org, id, building_id, name, frequency, status, reason, technicians, item_count,
			check_count, version, created_at, created_by, completed_at)
			SELECT 'o', 's' || n, 'b', '', 'yearly', 'active', '', '[]', 0, 0, 1, 0, '', 0 FROM generate_series(1,
			20000) n`,
		`INSERT INTO session_heads (org, session_id, seq, epoch, changed_at, changed_seq, done, conflicts, gaps,
			batches, late, checkpoint)
			SELECT 'o', 's' || n, 0, 1, 0, 0, 0, CASE n WHEN 7 THEN 3 ELSE 0 END, CASE n WHEN 9 THEN 2 ELSE 0 END, 0,
			0, '' FROM generate_series(1, 20000) n`,
		`VACUUM ANALYZE`,
	} {
		exec(t, url, statement)
	}
	before := scansOf(t, url)
	s, err := postgres.Open(t.Context(), postgres.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.Backlog(t.Context())
	if err != nil || b != (store.Backlog{Conflicts: 3, Gaps: 2}) {
		t.Errorf("%+v %v", b, err)
	}
	if err := s.Close(); err != nil { // its connections hand in what they have counted
		t.Fatal(err)
	}
	after := scansOf(t, url)
	if after.index-before.index != 1 || after.table != before.table {
		t.Errorf("scans are %+v, were %+v: want one more of the index, none of a table", after, before)
	}
}

type scans struct{ index, table int }

// scansOf counts scans of the index of what is open, and those of whole tables that have a row for
// each session.
func scansOf(t *testing.T, url string) (n scans) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	err = conn.QueryRow(t.Context(), `SELECT (SELECT idx_scan FROM pg_stat_user_indexes
		WHERE indexrelname = 'session_heads_open'),
		(SELECT sum(seq_scan) FROM pg_stat_user_tables WHERE relname IN ('sessions',
		'session_heads'))::bigint`).Scan(&n.index, &n.table)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

package storetest

import (
	"context"
	"strings"
	"sync"
	"testing"

	"firemode/internal/store"
)

// Empty is a database without a schema.
type Empty struct {
	Open func() store.Database // opens it once more, as another node would
	Exec func(sql string)
}

// RunSchema tries the promises about migrations on the engine that empty makes databases of.
func RunSchema(t *testing.T, empty func(t testing.TB) Empty) {
	for _, test := range []struct {
		name string
		run  func(t *testing.T, db Empty)
	}{
		{"an older schema is refused, and migrated", func(t *testing.T, db Empty) {
			s := db.Open()
			wantSchema(t, s, "firemode migrate up")
			wantApplied(t, s, false)
			equal(t, s.Migrate(t.Context()), nil)
			equal(t, s.CheckSchema(t.Context()), nil)
			wantApplied(t, s, true)
			equal(t, s.Migrate(t.Context()), nil)
			equal(t, s.CheckSchema(t.Context()), nil)
		}},
		{"a newer schema is refused", func(t *testing.T, db Empty) {
			s := db.Open()
			equal(t, s.Migrate(t.Context()), nil)
			db.Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true)")
			wantSchema(t, s, "run a newer binary")
		}},
		{"a session that was made before sessions had a format has format 1", oldSession},
		{"many nodes migrate at once", func(t *testing.T, db Empty) {
			var all sync.WaitGroup
			for range 5 {
				s := db.Open()
				all.Go(func() {
					if err := s.Migrate(t.Context()); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			s := db.Open()
			equal(t, s.CheckSchema(t.Context()), nil)
			wantApplied(t, s, true)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, empty(t))
		})
	}
}

// oldSession inserts a session without naming the column, as the migration finds those that exist.
func oldSession(t *testing.T, db Empty) {
	s := db.Open()
	equal(t, s.Migrate(t.Context()), nil)
	db.Exec("INSERT INTO organisations (id, name, created_at) VALUES ('o', 'O', 0)")
	db.Exec(`INSERT INTO buildings (org, id, name, address, name_key, address_key, search, metadata, owners, status,
		version, created_at)
		VALUES ('o', 'b', 'B', 'A', 'b', 'a', 'b a', '{}', '[]', 'active', 1, 0)`)
	db.Exec(`INSERT INTO sessions (org, id, building_id, name, frequency, status, reason, technicians, item_count,
		check_count, version,
		created_at, created_by, completed_at) VALUES ('o', 's', 'b', 'S', 'yearly', 'active', '', '[]', 0, 0, 1, 0,
		'u', 0)`)
	format := read(t, s, func(ctx context.Context, tx store.ReadTx) (int, error) {
		session, err := store.As[store.SessionReader](tx).Session(ctx, "o", "s")
		return session.Format, err
	})
	equal(t, format, 1)
}

func wantSchema(t *testing.T, s store.Database, words string) {
	t.Helper()
	if err := s.CheckSchema(t.Context()); err == nil || !strings.Contains(err.Error(), words) {
		t.Fatalf("CheckSchema says %v, want %q in it", err, words)
	}
}

// wantApplied wants the list of migrations to be numbered from 1 without a gap, and all of them to
// be applied, or none.
func wantApplied(t *testing.T, s store.Database, applied bool) {
	t.Helper()
	list, err := s.Migrations(t.Context())
	equal(t, err, nil)
	if len(list) == 0 || list[0].Name != "00001_base.sql" {
		t.Fatalf("got %v", list)
	}
	for i, m := range list {
		equal(t, m.Version, int64(i+1))
		equal(t, m.Applied, applied)
		equal(t, m.AppliedAt.IsZero(), !applied)
	}
}

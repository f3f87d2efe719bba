package storetest

import (
	"strings"
	"sync"
	"testing"

	"firemode/internal/store"
)

// Empty is a database without a schema.
type Empty struct {
	Open func() store.Store // opens it once more, as another node would
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

func wantSchema(t *testing.T, s store.Store, words string) {
	t.Helper()
	if err := s.CheckSchema(t.Context()); err == nil || !strings.Contains(err.Error(), words) {
		t.Fatalf("CheckSchema says %v, want %q in it", err, words)
	}
}

// wantApplied wants the list of migrations to be numbered from 1 without a gap, and all of them to be applied, or none.
func wantApplied(t *testing.T, s store.Store, applied bool) {
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

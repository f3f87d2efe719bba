package httpapi

import (
	"context"
	"database/sql"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"firemode/internal/store/sqlite"
)

// A snapshot is the database and the keys of a world, made once. Tests work on copies: to migrate
// and fill a database takes longer than most tests do.
type snapshot struct {
	fill func(*world)

	once  sync.Once
	files map[string][]byte // by path below the folder of a world
	users []string          // who has a token
}

var (
	populated = &snapshot{fill: func(w *world) {
		must(w.t, w.Services.Catalogue.Seed(w.t.Context()))
		w.populate()
	}}
	furnished = &snapshot{fill: func(w *world) {
		populated.fill(w)
		w.furnish()
	}}
)

// world returns a world on a copy of the snapshot.
func (s *snapshot) world(t testing.TB, change ...func(*Config)) *world {
	t.Helper()
	s.once.Do(func() { s.take(t) })
	dir := t.TempDir()
	must(t, os.Mkdir(filepath.Join(dir, "keys"), 0o700))
	for path, content := range s.files {
		must(t, os.WriteFile(filepath.Join(dir, path), content, 0o600))
	}
	w := openWorld(t, dir, change...)
	var err error
	for _, name := range s.users {
		w.tokens[name], err = w.Services.Auth.AccessToken(t.Context(), name)
		must(t, err)
	}
	return w
}

// openWorld assembles a world on the database and the keys in dir.
func openWorld(t testing.TB, dir string, change ...func(*Config)) *world {
	t.Helper()
	db, err := sqlite.Open(t.Context(), sqlite.Config{Path: filepath.Join(dir, "firemode.db")})
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	must(t, db.Migrate(t.Context()))
	return assemble(t, db, filepath.Join(dir, "keys"), change...)
}

func (s *snapshot) take(t testing.TB) {
	t.Helper()
	dir := t.TempDir()
	w := openWorld(t, dir)
	s.fill(w)
	copied := t.TempDir()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "firemode.db"))
	must(t, err)
	_, err = db.ExecContext(context.Background(), "VACUUM INTO ?", filepath.Join(copied, "firemode.db"))
	must(t, err)
	must(t, db.Close())
	must(t, os.CopyFS(filepath.Join(copied, "keys"), os.DirFS(filepath.Join(dir, "keys"))))
	files := map[string][]byte{}
	must(t, filepath.WalkDir(copied, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		name, err := filepath.Rel(copied, path)
		if err != nil {
			return err
		}
		files[name], err = os.ReadFile(path)
		return err
	}))
	s.files, s.users = files, slices.Collect(maps.Keys(w.tokens))
}

package app

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"firemode/internal/store"
	"firemode/internal/store/sqlite"
)

// ScratchStores makes empty, migrated SQLite databases in temporary folders. The zero value is
// ready. It is not safe for concurrent use.
type ScratchStores struct {
	// empty is a migrated database without rows, which later ones copy: migrating takes longer than
	// verifying a small session.
	empty []byte
}

// New returns a new database. Closing it deletes it.
func (s *ScratchStores) New(ctx context.Context) (store.Database, error) {
	dir, err := os.MkdirTemp("", "firemode-verify-*")
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "scratch.db")
	if s.empty == nil {
		err = s.migrate(ctx, path)
	} else {
		err = os.WriteFile(path, s.empty, 0o600)
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	db, err := sqlite.Open(ctx, sqlite.Config{Path: path, Scratch: true})
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return scratchStore{db, dir}, nil
}

// migrate makes the first database, and keeps a copy.
func (s *ScratchStores) migrate(ctx context.Context, path string) error {
	db, err := sqlite.Open(ctx, sqlite.Config{Path: path, Scratch: true})
	if err != nil {
		return err
	}
	if err := errors.Join(db.Migrate(ctx), db.Close()); err != nil {
		return err
	}
	s.empty, err = os.ReadFile(path)
	return err
}

// scratchStore deletes its folder when it is closed.
type scratchStore struct {
	store.Database
	dir string
}

func (s scratchStore) Close() error { return errors.Join(s.Database.Close(), os.RemoveAll(s.dir)) }

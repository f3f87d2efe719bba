package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"firemode/internal/store"
	"firemode/internal/store/sqlite"
)

// scratchStore is a database in a temporary folder, which goes with it.
type scratchStore struct {
	store.Store
	dir string
}

func (v *verification) scratch(ctx context.Context) (store.Store, error) {
	dir, err := os.MkdirTemp("", "firemode-verify-*")
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "scratch.db")
	if v.empty == nil {
		err = v.migrateEmpty(ctx, path)
	} else {
		err = os.WriteFile(path, v.empty, 0o600)
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	s, err := sqlite.Open(ctx, sqlite.Config{Path: path, Scratch: true})
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return scratchStore{s, dir}, nil
}

// migrateEmpty makes the first scratch database, and keeps a copy: the schema takes longer than a small session.
func (v *verification) migrateEmpty(ctx context.Context, path string) error {
	s, err := sqlite.Open(ctx, sqlite.Config{Path: path, Scratch: true})
	if err != nil {
		return err
	}
	if err := errors.Join(s.Migrate(ctx), s.Close()); err != nil {
		return err
	}
	v.empty, err = os.ReadFile(path)
	return err
}

// Close removes the database.
func (s scratchStore) Close() error { return errors.Join(s.Store.Close(), os.RemoveAll(s.dir)) }

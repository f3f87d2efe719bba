package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/pressly/goose/v3"

	"firemode/internal/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate brings the schema to the newest version. Concurrent processes wait for each other.
func (s *Store) Migrate(ctx context.Context) (err error) {
	unlock, err := lockFile(ctx, s.path+"-migrate")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	p, err := s.provider()
	if err != nil {
		return err
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("sqlite: migrate: %w", err)
	}
	return syncFolder(filepath.Dir(s.path))
}

// lockFile excludes other processes until unlock. The lock is that of SQLite on an empty file: it
// works wherever SQLite does, and ends with the process.
func lockFile(ctx context.Context, path string) (unlock func() error, err error) {
	db, err := sql.Open("sqlite", "file:"+escape(path)+"?_txlock=exclusive&_pragma=busy_timeout(60000)")
	if err != nil {
		return nil, fmt.Errorf("sqlite: migrate: %w", err)
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("sqlite: migrate: %w", err), db.Close())
	}
	return func() error { return errors.Join(tx.Rollback(), db.Close()) }, nil
}

func (s *Store) provider() (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, s.db, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return nil, fmt.Errorf("sqlite: migrations: %w", err)
	}
	return p, nil
}

// Migrations lists the migrations that this binary knows.
func (s *Store) Migrations(ctx context.Context) ([]store.Migration, error) {
	p, err := s.provider()
	if err != nil {
		return nil, err
	}
	list, err := p.Status(ctx)
	if err != nil {
		return nil, fmt.Errorf("sqlite: migrations: %w", err)
	}
	known := make([]store.Migration, len(list))
	for i, m := range list {
		known[i] = store.Migration{
			Version: m.Source.Version, Name: filepath.Base(m.Source.Path),
			Applied: m.State == goose.StateApplied, AppliedAt: m.AppliedAt.UTC(),
		}
	}
	return known, nil
}

// CheckSchema refuses any version but the newest that this binary knows.
func (s *Store) CheckSchema(ctx context.Context) error {
	p, err := s.provider()
	if err != nil {
		return err
	}
	have, known, err := p.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("sqlite: check schema: %w", err)
	}
	return store.CheckVersion(have, known)
}

package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"firemode/internal/store"
	"firemode/internal/store/postgres"
	"firemode/internal/store/sqlite"
)

// databaseFile is the name of the SQLite file, in a data folder and in a backup.
const databaseFile = "firemode.db"

// openStore opens PostgreSQL if c has a URL, else the SQLite file of the data folder, which it creates. file configures SQLite; its
// Path is set here.
func openStore(ctx context.Context, c Storage, file sqlite.Config) (store.Store, error) {
	if c.DBURL != "" {
		return opened(postgres.Open(ctx, postgres.Config{URL: c.DBURL, Now: file.Now, Traces: file.Traces}))
	}
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	file.Path = filepath.Join(c.Data, databaseFile)
	return opened(sqlite.Open(ctx, file))
}

// opened returns the store, or nil with the error: a nil pointer in an interface would not be nil.
func opened[S store.Store](s S, err error) (store.Store, error) {
	if err != nil {
		return nil, err
	}
	return s, nil
}

// useStore runs work on the database without migrating it.
func useStore(ctx context.Context, c Storage, now func() time.Time, work func(store.Store) error) (err error) {
	db, err := openStore(ctx, c, sqlite.Config{Now: now})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return work(db)
}

// Migrate migrates the database to the schema of this binary and returns its version. It may run several times, and on several nodes at
// once. A schema that this binary does not know is an error.
func Migrate(ctx context.Context, c Storage, now func() time.Time) (version int64, err error) {
	err = useStore(ctx, c, now, func(db store.Store) error {
		if err := db.Migrate(ctx); err != nil {
			return err
		}
		if err := db.CheckSchema(ctx); err != nil {
			return err
		}
		version, err = newestSchema(ctx, db)
		return err
	})
	return version, err
}

// Migrations returns the migrations that this binary knows, and which of them the database has. It applies none.
func Migrations(ctx context.Context, c Storage, now func() time.Time) (all []store.Migration, err error) {
	err = useStore(ctx, c, now, func(db store.Store) (err error) {
		all, err = db.Migrations(ctx)
		return err
	})
	return all, err
}

// newestSchema returns the version of the newest schema that this binary knows.
func newestSchema(ctx context.Context, db store.Store) (int64, error) {
	all, err := db.Migrations(ctx)
	if err != nil {
		return 0, err
	}
	return all[len(all)-1].Version, nil
}

package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"firemode/internal/backup"
	"firemode/internal/keys"
	"firemode/internal/store/sqlite"
)

// Backup describes a backup of a data folder with SQLite.
type Backup struct {
	Storage     Storage
	Now         func() time.Time
	WithoutKeys bool // leaves the signing keys out
}

// Write writes the backup to a new file and returns what it holds. It copies the database as of one
// moment; a server may be running on it. The file appears under its name only when it is complete
// and flushed to the disk, and never replaces another.
func (b Backup) Write(ctx context.Context, file string) (m backup.Manifest, err error) {
	if b.Storage.DBURL != "" {
		return m, errors.New("backup is for SQLite: back PostgreSQL up with pg_dump or its point-in-time recovery, " +
			"see docs/runbooks/backup.md")
	}
	if _, err := os.Stat(filepath.Join(b.Storage.Data, databaseFile)); err != nil {
		return m, fmt.Errorf("nothing to back up: %w", err)
	}
	if _, err := os.Lstat(file); err == nil {
		return m, fmt.Errorf("%s already exists", file)
	}
	work, err := os.MkdirTemp(filepath.Dir(file), ".firemode-backup-*")
	if err != nil {
		return m, err
	}
	defer os.RemoveAll(work) //nolint:errcheck // a leftover is hidden, and readable by its owner alone
	if m, err = b.writeIn(ctx, work); err != nil {
		return m, err
	}
	if err := os.Link(filepath.Join(work, "backup"), file); err != nil { // unlike a rename it replaces nothing
		return m, err
	}
	return m, syncFolder(filepath.Dir(file))
}

// writeIn writes the backup in the folder work.
func (b Backup) writeIn(ctx context.Context, work string) (m backup.Manifest, err error) {
	copied := filepath.Join(work, databaseFile)
	m = backup.Manifest{MadeAt: b.Now().UTC(), Version: Version()}
	if m.Schema, err = b.copyDatabase(ctx, copied); err != nil {
		return m, err
	}
	sources := []backup.Source{{Name: databaseFile, Path: copied}}
	if !b.WithoutKeys {
		names, err := keys.Files(b.Storage.KeysDir())
		if err != nil {
			return m, err
		}
		for _, name := range names {
			path := filepath.Join(b.Storage.KeysDir(), name)
			sources = append(sources, backup.Source{Name: "keys/" + name, Path: path})
		}
	}
	out, err := os.OpenFile(filepath.Join(work, "backup"), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return m, err
	}
	m, err = backup.Write(out, m, sources)
	return m, errors.Join(err, out.Sync(), out.Close())
}

// copyDatabase copies the database to a new file and returns the version of its schema.
func (b Backup) copyDatabase(ctx context.Context, path string) (schema int64, err error) {
	db, err := sqlite.Open(ctx, sqlite.Config{Path: filepath.Join(b.Storage.Data, databaseFile), Now: b.Now})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.CheckSchema(ctx); err != nil {
		return 0, err
	}
	known, err := newestSchema(ctx, db)
	if err != nil {
		return 0, err
	}
	return known, db.Backup(ctx, path)
}

// syncFolder flushes the names in a folder to the disk.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

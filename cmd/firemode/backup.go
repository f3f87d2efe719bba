package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"firemode/internal/backup"
	"firemode/internal/keys"
	"firemode/internal/store"
	"firemode/internal/store/sqlite"
)

// databaseFile is the name of the SQLite file, in a data folder and in a backup.
const databaseFile = "firemode.db"

type backupCommand struct {
	File        string `arg:"" help:"The backup to make; it must not be there yet."`
	WithoutKeys bool   `help:"Leave the signing keys out. Restoring then needs them from elsewhere."`
}

func (backupCommand) Help() string {
	return `It copies the database as of one moment, while a server may be running on it, and the keys, into one tar file with their SHA-256. Who has the
file can read everything and sign in your name: keep it like a password. With PostgreSQL use pg_dump or its point-in-time recovery
instead, see docs/runbooks/backup.md. Examples:

    firemode backup /backups/firemode-$(date +%F).tar
    firemode backup --without-keys /backups/firemode-$(date +%F).tar`
}

// Run makes the backup. It has its name only when it is whole and on the disk.
func (c backupCommand) Run(ctx context.Context, p *program) error {
	if p.storage.DBURL != "" {
		return errors.New("backup is for SQLite: back PostgreSQL up with pg_dump or its point-in-time recovery, see docs/runbooks/backup.md")
	}
	if _, err := os.Stat(filepath.Join(p.storage.Data, databaseFile)); err != nil {
		return fmt.Errorf("there is nothing to back up: %w", err)
	}
	if _, err := os.Lstat(c.File); err == nil {
		return fmt.Errorf("%s is there already", c.File)
	}
	work, err := os.MkdirTemp(filepath.Dir(c.File), ".firemode-backup-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work) //nolint:errcheck // what is left is hidden, and readable by its owner alone
	m, err := c.write(ctx, p, work)
	if err != nil {
		return err
	}
	if err := os.Link(filepath.Join(work, "backup"), c.File); err != nil { // unlike a rename it replaces nothing
		return err
	}
	if err := syncFolder(filepath.Dir(c.File)); err != nil {
		return err
	}
	var size int64
	for _, f := range m.Files {
		size += f.Size
	}
	_, err = fmt.Fprintf(p.stdout, "%s holds %d files with %d bytes, as of %s\n", c.File, len(m.Files), size, m.MadeAt.Format(time.RFC3339))
	return err
}

// write makes the backup in the folder work.
func (c backupCommand) write(ctx context.Context, p *program, work string) (m backup.Manifest, err error) {
	copied := filepath.Join(work, databaseFile)
	info, ok := debug.ReadBuildInfo()
	m = backup.Manifest{MadeAt: p.now().UTC(), Version: versionOf(info, ok)}
	if m.Schema, err = p.copyDatabase(ctx, copied); err != nil {
		return m, err
	}
	sources := []backup.Source{{Name: databaseFile, Path: copied}}
	if !c.WithoutKeys {
		names, err := keys.Files(p.storage.KeysDir())
		if err != nil {
			return m, err
		}
		for _, name := range names {
			sources = append(sources, backup.Source{Name: "keys/" + name, Path: filepath.Join(p.storage.KeysDir(), name)})
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
func (p *program) copyDatabase(ctx context.Context, path string) (schema int64, err error) {
	db, err := sqlite.Open(ctx, sqlite.Config{Path: filepath.Join(p.storage.Data, databaseFile), Now: p.now})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.CheckSchema(ctx); err != nil {
		return 0, err
	}
	known, err := newest(ctx, db)
	if err != nil {
		return 0, err
	}
	return known, db.Backup(ctx, path)
}

// newest is the schema that this binary knows.
func newest(ctx context.Context, db store.Store) (int64, error) {
	all, err := db.Migrations(ctx)
	if err != nil {
		return 0, err
	}
	return all[len(all)-1].Version, nil
}

// syncFolder makes names in a folder survive a power cut.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

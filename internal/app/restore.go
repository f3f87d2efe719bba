package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"firemode/internal/backup"
	"firemode/internal/keys"
	"firemode/internal/record/ledger"
	"firemode/internal/record/merge"
	"firemode/internal/store"
	"firemode/internal/store/sqlite"
)

// Restore extracts the backup file into the empty data folder of c, migrates the database and
// begins a new epoch in every session. It returns what the backup holds and the number of sessions.
// After an error the data folder holds no database.
func Restore(ctx context.Context, c Storage, now func() time.Time, file string) (
	m backup.Manifest, sessions int, err error,
) {
	if c.DBURL != "" {
		return m, 0, errors.New("a backup is restored into a data folder: restore PostgreSQL with its own tools, " +
			"then run firemode restore --mark, see docs/runbooks/backup.md")
	}
	r := restoration{storage: c, now: now, part: filepath.Join(c.Data, "restore.part")}
	if err := r.checkTarget(); err != nil {
		return m, 0, err
	}
	m, sessions, err = r.restore(ctx, file)
	if err != nil {
		return m, 0, errors.Join(err, os.RemoveAll(r.part))
	}
	return m, sessions, nil
}

// restoration is one restore into a data folder. Everything is prepared in the folder part, and the
// database is moved to its place last: a data folder that has a database was restored completely.
type restoration struct {
	storage Storage
	now     func() time.Time
	part    string
}

// checkTarget returns an error if the restore could overwrite something.
func (r restoration) checkTarget() error {
	entries, err := os.ReadDir(r.storage.Data)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		if path := filepath.Join(r.storage.Data, e.Name()); path != filepath.Clean(r.storage.KeysDir()) {
			return fmt.Errorf("%s is in the way: restore into an empty data folder", path)
		}
	}
	return os.MkdirAll(r.part, 0o700)
}

func (r restoration) restore(ctx context.Context, file string) (m backup.Manifest, marked int, err error) {
	in, err := os.Open(file)
	if err != nil {
		return m, 0, err
	}
	defer in.Close()
	if m, err = backup.Extract(in, r.part); err != nil {
		return m, 0, err
	}
	if !slices.ContainsFunc(m.Files, func(f backup.File) bool { return f.Name == databaseFile }) {
		return m, 0, fmt.Errorf("%s holds no database", file)
	}
	dir, err := r.keysDir()
	if err != nil {
		return m, 0, err
	}
	if marked, err = r.mark(ctx, m, dir); err != nil {
		return m, 0, err
	}
	return m, marked, r.place(dir)
}

// keysDir returns the folder of the keys: the one extracted from the backup, or the one of the
// installation. Keys in both are an error.
func (r restoration) keysDir() (string, error) {
	extracted := filepath.Join(r.part, "keys")
	inBackup, err := keys.Files(extracted)
	if err != nil {
		return "", err
	}
	kept, err := keys.Files(r.storage.KeysDir())
	switch {
	case err != nil:
		return "", err
	case len(inBackup) > 0 && len(kept) > 0:
		return "", fmt.Errorf("the backup holds keys, and %s holds keys too: move the latter away", r.storage.KeysDir())
	case len(inBackup) == 0 && len(kept) == 0:
		return "", fmt.Errorf("the backup holds no keys: put those of the installation into %s first",
			r.storage.KeysDir())
	case len(kept) > 0:
		return r.storage.KeysDir(), nil
	}
	return extracted, nil
}

// mark migrates the extracted database, and begins a new epoch in it.
func (r restoration) mark(ctx context.Context, m backup.Manifest, keysDir string) (marked int, err error) {
	db, err := sqlite.Open(ctx, sqlite.Config{Path: filepath.Join(r.part, databaseFile), Now: r.now})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	known, err := newestSchema(ctx, db)
	if err != nil {
		return 0, err
	}
	if m.Schema > known {
		return 0, fmt.Errorf("the backup has schema version %d and this binary knows only %d: run a newer binary",
			m.Schema, known)
	}
	if err := db.Migrate(ctx); err != nil {
		return 0, err
	}
	if err := db.CheckSchema(ctx); err != nil {
		return 0, err
	}
	return beginEpoch(ctx, db, keysDir)
}

// place moves the prepared files to their place, the database last.
func (r restoration) place(keysDir string) error {
	if _, err := os.Stat(filepath.Join(r.part, databaseFile+"-wal")); err == nil {
		return errors.New("the database was not closed cleanly, and its write-ahead log would be lost")
	}
	if keysDir != r.storage.KeysDir() {
		if err := os.MkdirAll(filepath.Dir(filepath.Clean(r.storage.KeysDir())), 0o700); err != nil {
			return err
		}
		if err := os.Rename(keysDir, r.storage.KeysDir()); err != nil {
			return fmt.Errorf("move the keys to their place: %w", err)
		}
		if err := syncFolder(filepath.Dir(filepath.Clean(r.storage.KeysDir()))); err != nil {
			return err
		}
	}
	if err := os.Rename(filepath.Join(r.part, databaseFile), filepath.Join(r.storage.Data, databaseFile)); err != nil {
		return err
	}
	return errors.Join(os.RemoveAll(r.part), syncFolder(r.storage.Data))
}

// MarkRestored begins a new epoch in every session of a database that was restored by other means,
// and returns their number.
func MarkRestored(ctx context.Context, c Storage, now func() time.Time) (sessions int, err error) {
	found, err := keys.Files(c.KeysDir())
	if err != nil {
		return 0, err
	}
	if len(found) == 0 {
		return 0, fmt.Errorf("put the keys of the installation into %s first", c.KeysDir())
	}
	err = useStore(ctx, c, now, func(db store.Database) error {
		if err := db.CheckSchema(ctx); err != nil {
			return err
		}
		sessions, err = beginEpoch(ctx, db, c.KeysDir())
		return err
	})
	return sessions, err
}

// beginEpoch begins a new epoch in every session of db, signed with the keys in keysDir.
func beginEpoch(ctx context.Context, db store.Database, keysDir string) (int, error) {
	k, err := keys.Open(keysDir)
	if err != nil {
		return 0, err
	}
	signer, err := ledger.NewSigner(k.History())
	if err != nil {
		return 0, err
	}
	return merge.MarkRestored(ctx, db, merge.Restoration{Signer: signer, NewID: newID})
}

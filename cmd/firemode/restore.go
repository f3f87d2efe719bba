package main

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
	"firemode/internal/sessions"
	"firemode/internal/store"
	"firemode/internal/store/sqlite"
)

type restoreCommand struct {
	File string `arg:"" optional:"" help:"The backup."`
	Mark bool   `help:"Restore nothing: begin a new epoch on a database that was restored by other means, such as pg_restore."`
}

func (restoreCommand) Help() string {
	return `It takes a backup out into an empty data folder, checks every file of it, brings the database to the schema of this binary and begins a
new epoch in every session: from it clients learn that the server was restored, and send again what the backup does not hold. Then
start the server. With PostgreSQL restore the database first, before any server runs on it, and use --mark; see
docs/runbooks/backup.md. Examples:

    firemode restore /backups/firemode-2026-11-23.tar --data /var/lib/firemode
    firemode restore --mark --db-url postgres://firemode@db.internal/firemode`
}

// Run restores or marks.
func (c restoreCommand) Run(ctx context.Context, p *program) error {
	switch {
	case c.Mark && c.File != "":
		return errors.New("give either a backup or --mark: a backup that is restored is marked too")
	case c.Mark:
		return p.markRestored(ctx)
	case c.File == "":
		return errors.New("which backup? Give its file, or --mark for a database that was restored by other means")
	case p.storage.DBURL != "":
		return errors.New("a backup is restored into a data folder: restore PostgreSQL with its own tools, then run firemode restore --mark, see docs/runbooks/backup.md")
	}
	r := restoring{program: p, part: filepath.Join(p.storage.Data, "restore.part")}
	if err := r.checkTarget(); err != nil {
		return err
	}
	marked, m, err := r.restore(ctx, c.File)
	if err != nil {
		return errors.Join(err, os.RemoveAll(r.part))
	}
	_, err = fmt.Fprintf(p.stdout, "restored %s as of %s; %d sessions begin a new epoch\n", p.storage.Data, m.MadeAt.Format(time.RFC3339), marked)
	return err
}

// restoring is a restoration into the data folder. Everything is made ready in part; the database gets its place last of all, so that
// a folder which has one was restored whole.
type restoring struct {
	*program
	part string
}

// checkTarget refuses a folder in which something could be overwritten.
func (r restoring) checkTarget() error {
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

func (r restoring) restore(ctx context.Context, file string) (marked int, m backup.Manifest, err error) {
	in, err := os.Open(file)
	if err != nil {
		return 0, m, err
	}
	defer in.Close()
	if m, err = backup.Extract(in, r.part); err != nil {
		return 0, m, err
	}
	if !slices.ContainsFunc(m.Files, func(f backup.File) bool { return f.Name == databaseFile }) {
		return 0, m, fmt.Errorf("%s holds no database", file)
	}
	dir, err := r.keysDir()
	if err != nil {
		return 0, m, err
	}
	if marked, err = r.mark(ctx, m, dir); err != nil {
		return 0, m, err
	}
	return marked, m, r.place(dir)
}

// keysDir returns where the keys are: in the backup, or where the installation keeps them. It must not be both.
func (r restoring) keysDir() (string, error) {
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
		return "", fmt.Errorf("the backup holds keys, and there are some in %s: move those away", r.storage.KeysDir())
	case len(inBackup) == 0 && len(kept) == 0:
		return "", fmt.Errorf("the backup holds no keys: put those of the installation into %s first", r.storage.KeysDir())
	case len(kept) > 0:
		return r.storage.KeysDir(), nil
	}
	return extracted, nil
}

// mark opens the database that was taken out, and begins the new epoch.
func (r restoring) mark(ctx context.Context, m backup.Manifest, keysDir string) (marked int, err error) {
	db, err := sqlite.Open(ctx, sqlite.Config{Path: filepath.Join(r.part, databaseFile), Now: r.now})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	known, err := newest(ctx, db)
	if err != nil {
		return 0, err
	}
	if m.Schema > known {
		return 0, fmt.Errorf("the backup is of schema version %d and this binary knows only %d: run a newer binary", m.Schema, known)
	}
	if err := db.Migrate(ctx); err != nil {
		return 0, err
	}
	if err := db.CheckSchema(ctx); err != nil {
		return 0, err
	}
	return beginEpoch(ctx, db, keysDir)
}

// place moves what is ready to where it belongs, the database last.
func (r restoring) place(keysDir string) error {
	if _, err := os.Stat(filepath.Join(r.part, databaseFile+"-wal")); err == nil {
		return errors.New("the database was not closed in good order, and its log would be lost")
	}
	if keysDir != r.storage.KeysDir() {
		if err := os.MkdirAll(filepath.Dir(filepath.Clean(r.storage.KeysDir())), 0o700); err != nil {
			return err
		}
		if err := os.Rename(keysDir, r.storage.KeysDir()); err != nil {
			return fmt.Errorf("put the keys into their place: %w", err)
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

// markRestored begins a new epoch on the database as it is.
func (p *program) markRestored(ctx context.Context) error {
	found, err := keys.Files(p.storage.KeysDir())
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return fmt.Errorf("put the keys of the installation into %s first", p.storage.KeysDir())
	}
	return p.withStore(ctx, func(db store.Store) error {
		if err := db.CheckSchema(ctx); err != nil {
			return err
		}
		marked, err := beginEpoch(ctx, db, p.storage.KeysDir())
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.stdout, "%d sessions begin a new epoch\n", marked)
		return err
	})
}

func beginEpoch(ctx context.Context, db store.Store, keysDir string) (int, error) {
	k, err := keys.Open(keysDir)
	if err != nil {
		return 0, err
	}
	signer, err := ledger.NewSigner(k.History())
	if err != nil {
		return 0, err
	}
	return sessions.MarkRestored(ctx, db, sessions.Restoration{Signer: signer, NewID: newID})
}

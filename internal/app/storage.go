package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"firemode/internal/keys"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
	"firemode/internal/store/postgres"
	"firemode/internal/store/sqlite"
)

// Storage says where a node keeps its data.
type Storage struct {
	Data  string // folder of the SQLite database, the lock and, unless Keys is set, the keys
	DBURL string // PostgreSQL URL; "" keeps the database in Data
	Keys  string // folder of the signing keys; "" is the folder keys in Data
}

// KeysDir returns the folder of the signing keys.
func (s Storage) KeysDir() string {
	if s.Keys != "" {
		return s.Keys
	}
	return filepath.Join(s.Data, "keys")
}

// databaseFile is the name of the SQLite file, in a data folder and in a backup.
const databaseFile = "firemode.db"

// openStore opens PostgreSQL if c has a URL, else the SQLite file of the data folder, which it
// creates. file configures SQLite; its Path is set here.
func openStore(ctx context.Context, c Storage, file sqlite.Config) (store.Database, error) {
	if c.DBURL != "" {
		if err := store.CheckPorts(postgres.Ports()); err != nil {
			return nil, err
		}
		return opened(postgres.Open(ctx, postgres.Config{URL: c.DBURL, Now: file.Now, Traces: file.Traces}))
	}
	if err := store.CheckPorts(sqlite.Ports()); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	file.Path = filepath.Join(c.Data, databaseFile)
	return opened(sqlite.Open(ctx, file))
}

// opened returns the store, or nil with the error: a nil pointer in an interface would not be nil.
func opened[S store.Database](s S, err error) (store.Database, error) {
	if err != nil {
		return nil, err
	}
	return s, nil
}

// useStore runs work on the database without migrating it.
func useStore(ctx context.Context, c Storage, now func() time.Time, work func(store.Database) error) (err error) {
	db, err := openStore(ctx, c, sqlite.Config{Now: now})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return work(db)
}

// Migrate migrates the database to the schema of this binary and returns its version. It may run
// several times, and on several nodes at once. A schema that this binary does not know is an error.
func Migrate(ctx context.Context, c Storage, now func() time.Time) (version int64, err error) {
	err = useStore(ctx, c, now, func(db store.Database) error {
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

// Migrations returns the migrations that this binary knows, and which of them the database has. It
// applies none.
func Migrations(ctx context.Context, c Storage, now func() time.Time) (all []store.Migration, err error) {
	err = useStore(ctx, c, now, func(db store.Database) (err error) {
		all, err = db.Migrations(ctx)
		return err
	})
	return all, err
}

// newestSchema returns the version of the newest schema that this binary knows.
func newestSchema(ctx context.Context, db store.Database) (int64, error) {
	all, err := db.Migrations(ctx)
	if err != nil {
		return 0, err
	}
	return all[len(all)-1].Version, nil
}

// HistoryKey returns the public key that checks what this installation has signed. Keys that do not
// exist are an error, and are not made.
func HistoryKey(c Storage) (string, error) {
	if found, err := keys.Files(c.KeysDir()); err != nil || len(found) == 0 {
		return "", errors.Join(fmt.Errorf("there are no keys in %s", c.KeysDir()), err)
	}
	k, err := keys.Open(c.KeysDir())
	if err != nil {
		return "", err
	}
	return ledger.PublicKey(k.History()), nil
}

// lock keeps a second server off a data folder with a SQLite database. A data folder that only
// holds keys may be shared.
func (s Storage) lock() (unlock func(), err error) {
	if s.DBURL != "" {
		return func() {}, nil
	}
	if err := os.MkdirAll(s.Data, 0o700); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	return lockFolder(s.Data)
}

// lockFolder locks a data folder, so that only one server works on it. The kernel releases the lock
// however the process ends. Commands do not take it: SQLite lets them write beside a server.
func lockFolder(dir string) (unlock func(), err error) {
	path := filepath.Join(dir, "serve.lock")
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err = takeLock(file, dir); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return func() { file.Close() }, nil
}

// takeLock locks file, the lock of dir, and writes the id of this process into it.
func takeLock(file *os.File, dir string) error {
	err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		holder, _ := io.ReadAll(file)
		return fmt.Errorf("another firemode (process %s) serves from %s: "+
			"stop it first, or use --db-url for several nodes",
			strings.TrimSpace(string(holder)), dir)
	}
	if err == nil {
		err = file.Truncate(0)
	}
	if err == nil {
		_, err = fmt.Fprintln(file, os.Getpid())
	}
	if err != nil {
		return fmt.Errorf("lock %s: %w", file.Name(), err)
	}
	return nil
}

// Package sqlite keeps FireMode's data in one SQLite file. It is the default engine.
//
// It keeps the promises of package store. Durable means that the write-ahead log was flushed to the
// disk (synchronous=FULL) before Update returned. One goroutine owns the one connection that
// writes: the Updates that wait while a commit is being flushed share the next one, each inside a
// savepoint of its own. No Update is held back to make a group larger. Readers have connections of
// their own and never wait for the writer.
//
// Several processes of one machine may open the file, such as a command beside the server; several
// machines over a network file system may not.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
	_ "modernc.org/sqlite" // the database/sql driver "sqlite"

	"firemode/internal/groupcommit"
	"firemode/internal/store"
	"firemode/internal/store/row"
)

// oldest is the first SQLite version in which two connections that reset a write-ahead log at the
// same time cannot corrupt it.
const oldest = "3.51.3"

// Config says which file to open.
type Config struct {
	Path    string           // of the database file; Open creates it, but not its folder
	Readers int              // most Views that run at once; 8 if 0
	Now     func() time.Time // the clock of transactions; time.Now if nil
	// Scratch is for a temporary file: nothing in it survives a power cut.
	Scratch bool
	// Committed is called with the number of Updates that shared a commit. It must be quick. It may
	// be nil.
	Committed func(updates int)
	// Supervise runs the writer and restarts it if it dies; nil for groupcommit.Unsupervised. The
	// end of its context stops the writer.
	Supervise groupcommit.Start
	// Traces takes the spans of statements and commits; nil for none.
	Traces trace.TracerProvider
}

// Store is a SQLite database. It implements store.Database.
type Store struct {
	path    string
	now     func() time.Time
	db      *sql.DB
	readers *readers
	writer  *writer
	closing sync.Once

	watchers watchers
}

var _ store.Database = (*Store)(nil)

// Open opens the database file. It does not migrate: call Migrate or CheckSchema next.
func Open(ctx context.Context, c Config) (*Store, error) {
	if c.Path == "" {
		return nil, errors.New("sqlite: the path of the database file is missing")
	}
	if c.Readers == 0 {
		c.Readers = 8
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Committed == nil {
		c.Committed = func(int) {}
	}
	if c.Traces == nil {
		c.Traces = noop.NewTracerProvider()
	}
	if err := create(c.Path); err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	db, err := sql.Open("sqlite", dsn(c.Path, c.Scratch))
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	if err := checkVersion(ctx, db); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	tracer := c.Traces.Tracer("firemode/internal/store/sqlite")
	r := newReaders(db, c, tracer)
	return &Store{
		path: c.Path, now: c.Now, db: db, readers: r,
		writer: startWriter(db, c, r, tracer), //nolint:contextcheck // it outlives the opening
	}, nil
}

// create creates the file, readable by its owner only, since it holds password hashes. The files
// that SQLite adds beside it inherit that.
func create(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), syncFolder(filepath.Dir(path)))
}

// syncFolder flushes the folder, so that the name of a new file survives a power cut.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// dsn returns the data source name with the pragmas, since a pragma that is sent through a pool
// sets one connection only. busy_timeout comes first, so that the other pragmas wait for locks,
// too.
func dsn(path string, scratch bool) string {
	// see checkpoint
	pragmas := []string{
		"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)",
		"wal_autocheckpoint(0)",
	}
	if scratch {
		pragmas[2] = "synchronous(OFF)"
	}
	return "file:" + escape(path) + "?_txlock=immediate&_pragma=" + strings.Join(pragmas, "&_pragma=")
}

// escape encodes the ? and % of a path for a URI.
func escape(path string) string { return (&url.URL{Path: path}).EscapedPath() }

func checkVersion(ctx context.Context, db *sql.DB) error {
	var version string
	if err := db.QueryRowContext(ctx, "SELECT sqlite_version()").Scan(&version); err != nil {
		return fmt.Errorf("sqlite: open: %w", err)
	}
	if number(version) < number(oldest) {
		return fmt.Errorf("sqlite: this binary holds SQLite %s, which can corrupt its log; at least %s is needed",
			version, oldest)
	}
	return nil
}

// number is SQLITE_VERSION_NUMBER: 3051003 for 3.51.3.
func number(version string) int {
	var major, minor, patch int
	if _, err := fmt.Sscanf(version, "%d.%d.%d", &major, &minor, &patch); err != nil {
		return 0
	}
	return (major*1000+minor)*1000 + patch
}

// Ping reads from the file.
func (s *Store) Ping(ctx context.Context) error {
	return s.View(ctx, func(tx store.ReadTx) error {
		_, err := row.One(ctx, tx.(readTx).sql, row.Int, "SELECT count(*) FROM sqlite_schema LIMIT 1")
		return err
	})
}

// Close waits for the Updates that were called before it, then closes the file.
func (s *Store) Close() error {
	var err error
	s.closing.Do(func() {
		s.writer.stop()
		s.readers.close()
		err = s.db.Close()
	})
	return err
}

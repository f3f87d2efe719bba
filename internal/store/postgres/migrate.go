package postgres

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"firemode/internal/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate brings the schema to the newest version. Concurrent nodes wait for each other.
func (s *Store) Migrate(ctx context.Context) error {
	return s.goose(func(p *goose.Provider) error {
		_, err := p.Up(ctx)
		return err
	})
}

// Migrations lists the migrations that this binary knows.
func (s *Store) Migrations(ctx context.Context) (known []store.Migration, err error) {
	err = s.goose(func(p *goose.Provider) error {
		list, err := p.Status(ctx)
		for _, m := range list {
			known = append(known, store.Migration{
				Version: m.Source.Version, Name: filepath.Base(m.Source.Path),
				Applied: m.State == goose.StateApplied, AppliedAt: m.AppliedAt.UTC(),
			})
		}
		return err
	})
	return known, err
}

// CheckSchema refuses any version but the newest that this binary knows.
func (s *Store) CheckSchema(ctx context.Context) error {
	var have, known int64
	err := s.goose(func(p *goose.Provider) (err error) {
		have, known, err = p.GetVersions(ctx)
		return err
	})
	if err != nil {
		return err
	}
	return store.CheckVersion(have, known)
}

// goose calls fn with a provider that uses connections of the pool.
func (s *Store) goose(fn func(*goose.Provider) error) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	db := stdlib.OpenDBFromPool(s.pool)
	p, err := goose.NewProvider(goose.DialectPostgres, db, files,
		goose.WithDisableGlobalRegistry(true), goose.WithSessionLocker(advisoryLock{}))
	if err == nil {
		err = fn(p)
	}
	if err = errors.Join(err, db.Close()); err != nil {
		return fmt.Errorf("postgres: migrations: %w", translate(err))
	}
	return nil
}

// advisoryLock makes nodes that migrate concurrently wait for each other. The one of goose polls
// every few seconds.
type advisoryLock struct{}

// lockNumber is "firemode" as bytes.
const lockNumber = 0x666972656d6f6465

func (advisoryLock) SessionLock(ctx context.Context, conn *sql.Conn) error {
	_, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock($1)", int64(lockNumber))
	return err
}

func (advisoryLock) SessionUnlock(ctx context.Context, conn *sql.Conn) error {
	_, err := conn.ExecContext(ctx, "SELECT pg_advisory_unlock($1)", int64(lockNumber))
	return err
}

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"firemode/internal/store"
)

type migrateCommand struct {
	Up     migrateUp     `cmd:"" help:"Apply the migrations that are missing."`
	Status migrateStatus `cmd:"" help:"List the migrations and which are applied."`
}

type migrateUp struct{}

func (migrateUp) Help() string {
	return `serve does the same when it starts; use this to do it before, e.g. from a deployment. It can be run again, and on several nodes at
once. Examples:

    firemode migrate up
    firemode migrate up --db-url postgres://firemode@db.internal/firemode`
}

// Run migrates and says where the schema is now.
func (migrateUp) Run(ctx context.Context, p *program) error {
	return p.withStore(ctx, func(db store.Store) error {
		if err := db.Migrate(ctx); err != nil {
			return err
		}
		if err := db.CheckSchema(ctx); err != nil {
			return err
		}
		all, err := db.Migrations(ctx)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.stdout, "the schema is at version %d\n", all[len(all)-1].Version)
		return err
	})
}

type migrateStatus struct{}

func (migrateStatus) Help() string {
	return `It applies nothing. Example:

    firemode migrate status`
}

// Run prints one line per migration.
func (migrateStatus) Run(ctx context.Context, p *program) error {
	return p.withStore(ctx, func(db store.Store) error {
		all, err := db.Migrations(ctx)
		if err != nil {
			return err
		}
		rows := [][]string{{"VERSION", "NAME", "APPLIED"}}
		for _, m := range all {
			applied := "no"
			if m.Applied {
				applied = m.AppliedAt.UTC().Format(time.RFC3339)
			}
			rows = append(rows, []string{fmt.Sprint(m.Version), m.Name, applied})
		}
		return p.table(rows)
	})
}

// withStore runs work on the database as it is.
func (p *program) withStore(ctx context.Context, work func(store.Store) error) (err error) {
	db, err := openStore(ctx, p.storage, p.now, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return work(db)
}

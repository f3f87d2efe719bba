package main

import (
	"context"
	"fmt"
	"time"

	"firemode/internal/app"
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
	version, err := app.Migrate(ctx, p.storage, p.now)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.stdout, "the schema is at version %d\n", version)
	return err
}

type migrateStatus struct{}

func (migrateStatus) Help() string {
	return `It applies nothing. Example:

    firemode migrate status`
}

// Run prints one line per migration.
func (migrateStatus) Run(ctx context.Context, p *program) error {
	all, err := app.Migrations(ctx, p.storage, p.now)
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
}

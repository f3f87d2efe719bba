package main

import (
	"context"
	"fmt"
	"time"

	"firemode/internal/app"
)

type migrateCommand struct {
	Up     migrateUp     `cmd:"" help:"Apply missing migrations."`
	Status migrateStatus `cmd:"" help:"List the migrations and when they were applied."`
}

type migrateUp struct{}

func (migrateUp) Help() string {
	return `serve migrates too when it starts; use this command to migrate earlier, for example in a deployment. It
may run several times, and on several nodes at once. Examples:

    firemode migrate up
    firemode migrate up --db-url postgres://firemode@db.internal/firemode`
}

// Run migrates and prints the version of the schema.
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
	return `This applies nothing. Example:

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

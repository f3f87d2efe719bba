package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"firemode/internal/app"
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
		sessions, err := app.MarkRestored(ctx, p.storage, p.now)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.stdout, "%d sessions begin a new epoch\n", sessions)
		return err
	case c.File == "":
		return errors.New("which backup? Give its file, or --mark for a database that was restored by other means")
	}
	m, sessions, err := app.Restore(ctx, p.storage, p.now, c.File)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.stdout, "restored %s as of %s; %d sessions begin a new epoch\n", p.storage.Data, m.MadeAt.Format(time.RFC3339), sessions)
	return err
}

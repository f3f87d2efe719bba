package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"firemode/internal/app"
)

type restoreCommand struct {
	File string `arg:"" optional:"" help:"Backup to restore."`
	Mark bool   `help:"${help_mark}"`
}

func (restoreCommand) Help() string {
	return `restore extracts a backup into an empty data folder, checks every file, migrates the database to the
schema of this binary and begins a new epoch in every session. The new epoch tells clients that the server was
restored; they resend what the backup does not hold. Start the server afterwards.

For PostgreSQL, restore the database with its own tools before any server runs on it, then use --mark; see
docs/runbooks/backup.md. Examples:

    firemode restore /backups/firemode-2026-11-23.tar --data /var/lib/firemode
    firemode restore --mark --db-url postgres://firemode@db.internal/firemode`
}

// Run restores a backup, or marks a restored database.
func (c restoreCommand) Run(ctx context.Context, p *program) error {
	switch {
	case c.Mark && c.File != "":
		return errors.New("give either a backup or --mark; restoring a backup includes the mark")
	case c.Mark:
		sessions, err := app.MarkRestored(ctx, p.storage, p.now)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.stdout, "%d sessions begin a new epoch\n", sessions)
		return err
	case c.File == "":
		return errors.New("which backup? Give its file, or --mark for a database restored by other tools")
	}
	m, sessions, err := app.Restore(ctx, p.storage, p.now, c.File)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.stdout, "restored %s as of %s; %d sessions begin a new epoch\n",
		p.storage.Data, m.MadeAt.Format(time.RFC3339), sessions)
	return err
}

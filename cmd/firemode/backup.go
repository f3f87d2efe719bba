package main

import (
	"context"
	"fmt"
	"time"

	"firemode/internal/app"
)

type backupCommand struct {
	File        string `arg:"" help:"The backup to make; it must not be there yet."`
	WithoutKeys bool   `help:"Leave the signing keys out. Restoring then needs them from elsewhere."`
}

func (backupCommand) Help() string {
	return `It copies the database as of one moment, while a server may be running on it, and the keys, into one tar file with their SHA-256. Who has the
file can read everything and sign in your name: keep it like a password. With PostgreSQL use pg_dump or its point-in-time recovery
instead, see docs/runbooks/backup.md. Examples:

    firemode backup /backups/firemode-$(date +%F).tar
    firemode backup --without-keys /backups/firemode-$(date +%F).tar`
}

// Run makes the backup. It has its name only when it is whole and on the disk.
func (c backupCommand) Run(ctx context.Context, p *program) error {
	m, err := app.Backup{Storage: p.storage, Now: p.now, WithoutKeys: c.WithoutKeys}.Write(ctx, c.File)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.stdout, "%s holds %d files with %d bytes, as of %s\n", c.File, len(m.Files), m.Size(), m.MadeAt.Format(time.RFC3339))
	return err
}

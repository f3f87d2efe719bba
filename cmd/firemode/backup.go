package main

import (
	"context"
	"fmt"
	"time"

	"firemode/internal/app"
)

type backupCommand struct {
	File        string `arg:"" help:"File to create; it must not exist."`
	WithoutKeys bool   `help:"Leave out the signing keys; a restore then needs a copy of them."`
}

func (backupCommand) Help() string {
	return `The backup is a tar file with a consistent copy of the database, the keys, and their SHA-256. A server may
be running. Protect the file like a password: it contains all data and the signing keys. For PostgreSQL use pg_dump or
point-in-time recovery instead; see docs/runbooks/backup.md. Examples:

    firemode backup /backups/firemode-$(date +%F).tar
    firemode backup --without-keys /backups/firemode-$(date +%F).tar`
}

// Run writes the backup and prints what it holds.
func (c backupCommand) Run(ctx context.Context, p *program) error {
	m, err := app.Backup{Storage: p.storage, Now: p.now, WithoutKeys: c.WithoutKeys}.Write(ctx, c.File)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.stdout, "%s holds %d files with %d bytes, as of %s\n",
		c.File, len(m.Files), m.Size(), m.MadeAt.Format(time.RFC3339))
	return err
}

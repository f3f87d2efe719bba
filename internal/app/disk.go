package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/sys/unix"

	"firemode/internal/httpkit"
)

// minFreeShare is the share of the disk that should be free.
const minFreeShare = 0.01

// disk checks the free space on the disk of the data folder. Too little makes a node with SQLite
// not ready, because it soon cannot write. With PostgreSQL, whose disk is elsewhere, it is degraded
// at most.
func (n *node) disk(context.Context) error {
	free, total, err := diskSpace(n.services.storage.Data)
	if errors.Is(err, fs.ErrNotExist) { // with PostgreSQL there may be a folder of keys only
		free, total, err = diskSpace(n.services.storage.KeysDir())
	}
	if err != nil {
		return err
	}
	freeMB := free >> 20
	short := freeMB < uint64(n.config.MinFreeMB)
	switch {
	case short && n.services.storage.DBURL == "":
		return unready("%d MB free on the disk of the data folder; at least %d MB required", freeMB, n.config.MinFreeMB)
	case short, float64(free) < minFreeShare*float64(total):
		return httpkit.Degraded("%d MB of %d MB free on the disk of the data folder", freeMB, total>>20)
	}
	return nil
}

// diskSpace returns the bytes that this process may still use on the disk of a folder, and the size
// of the disk.
func diskSpace(folder string) (free, total uint64, err error) {
	var s unix.Statfs_t
	if err := unix.Statfs(folder, &s); err != nil {
		return 0, 0, fmt.Errorf("disk space of %s: %w", folder, err)
	}
	size := uint64(s.Bsize) //nolint:unconvert // the type differs between systems
	return s.Bavail * size, s.Blocks * size, nil
}

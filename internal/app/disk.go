package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/sys/unix"

	"firemode/internal/httpkit"
)

// lowDisk is the part of a disk that should be free.
const lowDisk = 0.01

// disk looks at the disk of the data folder. One that is nearly full is where SQLite soon cannot write; PostgreSQL's is its own affair, so
// there it is worth no more than a word.
func (n *node) disk(context.Context) error {
	free, total, err := diskSpace(n.services.storage.Data)
	if errors.Is(err, fs.ErrNotExist) { // with PostgreSQL there may be keys alone
		free, total, err = diskSpace(n.services.storage.KeysDir())
	}
	if err != nil {
		return err
	}
	freeMB := free >> 20
	short := freeMB < uint64(n.config.MinFreeMB)
	switch {
	case short && n.services.storage.DBURL == "":
		return unready("%d MB are free where the data is, and %d MB should be", freeMB, n.config.MinFreeMB)
	case short, float64(free) < lowDisk*float64(total):
		return httpkit.Degraded("%d MB are free of %d MB where the data folder is", freeMB, total>>20)
	}
	return nil
}

// diskSpace returns how many bytes are free for us on the disk of a folder, and how many it has.
func diskSpace(folder string) (free, total uint64, err error) {
	var s unix.Statfs_t
	if err := unix.Statfs(folder, &s); err != nil {
		return 0, 0, fmt.Errorf("disk space of %s: %w", folder, err)
	}
	return s.Bavail * uint64(s.Bsize), s.Blocks * uint64(s.Bsize), nil //nolint:unconvert // the types differ between systems
}

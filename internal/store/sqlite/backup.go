package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// Backup writes the database as of one moment into a new file, which nothing else is needed to
// read. Views and Updates go on meanwhile, in this process and in others.
func (s *Store) Backup(ctx context.Context, path string) (err error) {
	if err := create(path); err != nil { // SQLite takes an empty file, and leaves its permissions
		return fmt.Errorf("sqlite: backup: %w", err)
	}
	if info, err := os.Stat(path); err != nil || info.Size() > 0 {
		return errors.Join(fmt.Errorf("sqlite: backup: %s is there already", path), err)
	}
	if _, err := s.db.ExecContext(ctx, "VACUUM INTO ?", path); err != nil {
		return fmt.Errorf("sqlite: backup: %w", translate(err))
	}
	return nil
}

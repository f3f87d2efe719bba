package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// Backup writes a consistent copy of the database into a new file that is complete by itself. Views
// and Updates continue meanwhile, in this process and in others.
func (s *Store) Backup(ctx context.Context, path string) (err error) {
	if err := create(path); err != nil { // SQLite accepts an empty file and keeps its permissions
		return fmt.Errorf("sqlite: backup: %w", err)
	}
	if info, err := os.Stat(path); err != nil || info.Size() > 0 {
		return errors.Join(fmt.Errorf("sqlite: backup: %s already exists", path), err)
	}
	if _, err := s.db.ExecContext(ctx, "VACUUM INTO ?", path); err != nil {
		return fmt.Errorf("sqlite: backup: %w", translate(err))
	}
	return nil
}

package store

import (
	"context"

	"firemode"
)

// OrphanReader finds orphaned rows for verification, which reaches rows through their organisations
// and sessions and so would never see them.
type OrphanReader interface {
	// Orphans checks the foreign keys, over all organisations, of the tables that hold readings or
	// copies of them, rules and audit logs. It also returns sessions that are in no list. Its cost
	// follows the number of rows.
	Orphans(ctx context.Context) ([]Orphan, error)
}

// Orphan says that a table has rows whose owner does not exist, or is in no list.
type Orphan struct {
	Table string
	Org   firemode.OrgID
	Owner string // the session or the organisation that the rows name
}

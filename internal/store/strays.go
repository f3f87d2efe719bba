package store

import (
	"context"

	"firemode"
)

// OrphanReader finds rows that belong to nothing. It is for verification: nothing that walks over organisations and sessions comes by them.
type OrphanReader interface {
	// Orphans looks, over all organisations, through the tables that hold readings or copies of them, rules and audit logs, and for sessions
	// that stand in no list. Its cost follows the rows that there are.
	Orphans(ctx context.Context) ([]Orphan, error)
}

// Orphan says that rows of a table belong to nothing that is there and listed.
type Orphan struct {
	Table string
	Org   firemode.OrgID
	Owner string // the session that they name, or the organisation
}

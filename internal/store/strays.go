package store

import (
	"context"

	"firemode"
)

// StrayReader finds rows that belong to nothing. It is for verification: nothing that walks over organisations and sessions comes by them.
type StrayReader interface {
	// Strays looks, over all organisations, through the tables that hold readings or copies of them, rules and audit logs, and for sessions
	// that stand in no list. Its cost follows the rows that there are.
	Strays(ctx context.Context) ([]Stray, error)
}

// Stray says that rows of a table belong to nothing that is there and listed.
type Stray struct {
	Table string
	Org   firemode.OrgID
	Owner string // the session that they name, or the organisation
}

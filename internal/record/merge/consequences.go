package merge

import (
	"context"
	"time"

	"firemode"
	"firemode/internal/record/assess"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// Consequences derives the rows of a feature from merged results. Features implement it, and the
// node configures the order in which they run.
type Consequences interface {
	// Derive runs once for each session and transaction that may have changed the findings of an
	// item, after the log and the operations are written and before the head is. It returns the
	// audit entries of what it did; ChangeStatus and Submit append them, Rebuild drops them. An
	// error fails the transaction. Verification runs Derive in a scratch store: what it writes must
	// depend on m and the store alone.
	Derive(ctx context.Context, tx store.Tx, m Merged) ([]ledger.AuditEntry, error)
}

// Merged is what a transaction changed in one session.
type Merged struct {
	Session firemode.Session
	At      time.Time // of the transaction; in a rebuild that of the transaction that is rebuilt
	Items   []AssessedItem
}

// AssessedItem is an item that was assessed, whether the session lists it or not.
type AssessedItem struct {
	ID       firemode.ItemID
	Findings []assess.Finding
}

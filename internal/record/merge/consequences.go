package merge

import (
	"context"
	"time"

	"firemode"
	"firemode/internal/record/assess"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// Consequences is what a feature derives from merged results. The features that have some implement it, and the
// node hands them to the merge in the order in which they are to run.
type Consequences interface {
	// Derive runs once for each session and transaction that changed what items are assessed by, after the log and
	// its operations are written and before the head is. It returns the audit entries of what it did. Its error fails the transaction.
	// Verification runs it as well, in a scratch store: what it writes must follow from m and the store alone.
	Derive(ctx context.Context, tx store.Tx, m Merged) ([]ledger.AuditEntry, error)
}

// Merged is what a transaction changed in one session.
type Merged struct {
	Session firemode.Session
	At      time.Time // of the transaction; in a verification that of the one that is merged again
	Items   []AssessedItem
}

// AssessedItem is an item that was assessed anew, listed or not.
type AssessedItem struct {
	ID       firemode.ItemID
	Findings []assess.Finding
}

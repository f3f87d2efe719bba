package verify

import (
	"context"

	"firemode"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// Recomputer recomputes the rows of one feature and reports those that are stored differently.
// Features implement it, and the node hands them to the Verifier.
type Recomputer interface {
	// Recompute begins the verification of one organisation, "" for the shared catalogue.
	Recompute(org firemode.OrgID) Recomputation
}

// Recomputation is what a feature recomputes for one organisation. One goroutine uses it.
type Recomputation interface {
	// Audit is called with every entry of the organisation's audit log, in order, before the other
	// methods.
	Audit(e ledger.AuditEntry)
	// Organisation compares the rows that belong to the organisation as a whole, in the transaction
	// in which the audit log was read. It returns what it compared in words, such as "3 rule
	// versions", "" for nothing.
	Organisation(ctx context.Context, tx store.ReadTx, report Report) (summary string, err error)
	// Session begins the verification of one session. It returns nil if the feature has no rows of
	// a session.
	Session(SessionScope) SessionRecomputation
}

// SessionScope is a session that is being verified.
type SessionScope struct {
	Session firemode.Session
	// Audited says whether Audit was called with the organisation's audit log. Otherwise nothing
	// can be compared with it.
	Audited bool
	Newer   []ledger.AuditEntry // of all sessions, written after the last call of Audit
	Report  Report
}

// SessionRecomputation is what a feature recomputes for one session.
type SessionRecomputation interface {
	// Before applies to the scratch store what people did with the feature's rows before log entry
	// seq.
	Before(ctx context.Context, scratch store.Tx, seq int64) error
	// Compare reports the rows that are stored differently from the rebuilt ones.
	Compare(ctx context.Context, stored, rebuilt store.ReadTx) error
}

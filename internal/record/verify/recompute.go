package verify

import (
	"context"

	"firemode"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// Recomputer recomputes the rows of one feature, and names those that are stored otherwise. Features implement it,
// and the node hands them to the Verifier.
type Recomputer interface {
	// Recompute begins with one organisation, "" for the shared catalogue.
	Recompute(org firemode.OrgID) Recomputation
}

// Recomputation is what a feature recomputes of one organisation.
type Recomputation interface {
	// Audit is given every entry of the organisation's audit log, in order, before anything is compared.
	Audit(e ledger.AuditEntry)
	// Organisation compares the rows that belong to the organisation as a whole, in the transaction in which the
	// audit log was read. It returns what was compared, in words, "" for nothing.
	Organisation(ctx context.Context, tx store.ReadTx, report Report) (string, error)
	// Session begins with one session; nil when nothing of the feature belongs to a session.
	Session(SessionScope) SessionRecomputation
}

// SessionScope is a session that is being verified.
type SessionScope struct {
	Session firemode.Session
	// Audited says whether the organisation's audit log was read. Without it nothing can be held against it.
	Audited bool
	Newer   []ledger.AuditEntry // written since Audit was called for the last time, of all sessions
	Report  Report
}

// SessionRecomputation is what a feature recomputes of one session.
type SessionRecomputation interface {
	// Before repeats, in the scratch store, what people did with the feature's rows before log entry seq.
	Before(ctx context.Context, scratch store.Tx, seq int64) error
	// Compare compares what is stored with what came out.
	Compare(ctx context.Context, stored, rebuilt store.ReadTx) error
}

package store

import (
	"bytes"
	"context"
	"fmt"

	"firemode"
	"firemode/internal/record/ledger"
)

// AuditReader reads the audit log.
type AuditReader interface {
	// Audits lists the entries of user, "" for all users, newest first.
	Audits(ctx context.Context, org firemode.OrgID, user firemode.UserID, p Page) ([]Keyed[ledger.AuditEntry], error)
	// EachAudit calls fn for every entry of org in order of Seq, and stops at its first error. fn
	// may use the transaction.
	EachAudit(ctx context.Context, org firemode.OrgID, fn func(ledger.AuditEntry) error) error
	// AuditEnd returns the number and hash of the last entry of org as stored when it was added; 0
	// and nil if there is none.
	AuditEnd(ctx context.Context, org firemode.OrgID) (seq int64, hash []byte, err error)
}

// AuditWriter writes the audit log.
type AuditWriter interface {
	// LockAudit returns the number and hash of the last entry of org, 0 and nil if there is none,
	// and keeps other writers from the log until the transaction ends.
	LockAudit(ctx context.Context, org firemode.OrgID) (seq int64, hash []byte, err error)
	// InsertAudit adds sealed entries; CodeConflict if a number or an id is taken. Use AppendAudit.
	InsertAudit(ctx context.Context, entries []ledger.AuditEntry) error
}

// AppendAudit seals entries onto the end of the audit log of org, in order. It takes the lock of
// the log: take all other locks before.
func AppendAudit(ctx context.Context, tx Tx, org firemode.OrgID, entries ...ledger.AuditEntry) error {
	if len(entries) == 0 {
		return nil
	}
	seq, hash, err := As[AuditWriter](tx).LockAudit(ctx, org)
	if err != nil {
		return err
	}
	sealed := make([]ledger.AuditEntry, len(entries))
	for i, e := range entries {
		e.Org = org
		if e.At.IsZero() {
			e.At = tx.Now()
		}
		seq++
		sealed[i] = e.Seal(seq, hash)
		hash = sealed[i].Hash
	}
	return As[AuditWriter](tx).InsertAudit(ctx, sealed)
}

// CheckAudit calls report for every entry of the audit log of org that was altered or does not
// continue the chain and, with a zero entry, if the log does not end where the database says. It
// calls each for every entry, and returns how many there are.
func CheckAudit(
	ctx context.Context, tx ReadTx, org firemode.OrgID,
	report func(e ledger.AuditEntry, what string), each func(ledger.AuditEntry),
) (entries int64, err error) {
	var prev []byte
	err = As[AuditReader](tx).EachAudit(ctx, org, func(e ledger.AuditEntry) error {
		if e.Seq != entries+1 {
			report(e, fmt.Sprintf("it comes after entry %d: entries are missing", entries))
		}
		if !bytes.Equal(e.Prev, prev) {
			report(e, "it does not continue the chain: its previous hash is not that of the entry before")
		}
		if !e.Sealed() {
			report(e, "its hash is not that of its fields")
		}
		entries, prev = e.Seq, e.Hash
		each(e)
		return nil
	})
	if err != nil {
		return entries, err
	}
	seq, hash, err := As[AuditReader](tx).AuditEnd(ctx, org)
	if err == nil && (seq != entries || !bytes.Equal(hash, prev)) {
		report(ledger.AuditEntry{}, fmt.Sprintf("it is noted that the log ends at entry %d; it ends at %d, or with "+
			"another hash", seq, entries))
	}
	return entries, err
}

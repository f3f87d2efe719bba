package row

import (
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// AuditColumns are those of table audit.
const AuditColumns = "org, seq, id, at, user_id, action, subject, data, prev, hash"

// AuditTaken says what InsertAudit found taken.
var AuditTaken = Taken{Primary: "the audit log has gone on meanwhile", Unique: "an audit entry with this id exists already"}

// AuditValues are in the order of AuditColumns.
func AuditValues(e ledger.AuditEntry) []any {
	return []any{e.Org, e.Seq, e.ID, store.Micros(e.At), e.User, e.Action, e.Subject, blob(e.Data), blob(e.Prev), blob(e.Hash)}
}

// ScanAudit reads AuditColumns.
func ScanAudit(r Scanner) (e ledger.AuditEntry, err error) {
	err = scan(r, "audit", &e.Org, &e.Seq, &e.ID, store.TimeColumn{Into: &e.At}, &e.User, &e.Action, &e.Subject, &e.Data, &e.Prev, &e.Hash)
	return e, err
}

// ResponseColumns are those of table answers.
const ResponseColumns = "scope, idempotency_key, fingerprint, result, created_at"

// ResponseTaken says what SaveResponses found taken.
var ResponseTaken = Taken{Primary: "this Idempotency-Key was used meanwhile"}

// ResponseValues are in the order of ResponseColumns.
func ResponseValues(a store.StoredResponse) []any {
	return []any{a.Scope, a.Key, blob(a.Fingerprint), blob(a.Result), store.Micros(a.CreatedAt)}
}

// ScanResponse reads ResponseColumns.
func ScanResponse(r Scanner) (a store.StoredResponse, err error) {
	err = scan(r, "answers", &a.Scope, &a.Key, &a.Fingerprint, &a.Result, store.TimeColumn{Into: &a.CreatedAt})
	return a, err
}

// AuditEnd is where an audit log ends.
type AuditEnd struct {
	Seq  int64
	Hash []byte
}

// ScanAuditEnd reads seq and hash.
func ScanAuditEnd(r Scanner) (e AuditEnd, err error) {
	err = scan(r, "audit_heads", &e.Seq, &e.Hash)
	return e, err
}

package row

import (
	"context"
	"errors"
	"math"
	"strconv"

	"firemode"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// AuditColumns are those of table audit.
const AuditColumns = "org, seq, id, at, user_id, action, subject, data, prev, hash"

// AuditTaken says what InsertAudit found taken.
var AuditTaken = Taken{
	Primary: "another entry was added to the audit log meanwhile",
	Unique:  "an audit entry with this id exists already",
}

// AuditValues are in the order of AuditColumns.
func AuditValues(e ledger.AuditEntry) []any {
	return []any{
		e.Org, e.Seq, e.ID, store.Micros(e.At), e.User, e.Action, e.Subject, blob(e.Data), blob(e.Prev),
		blob(e.Hash),
	}
}

// ScanAudit reads AuditColumns.
func ScanAudit(r Scanner) (e ledger.AuditEntry, err error) {
	err = scan(r, "audit", &e.Org, &e.Seq, &e.ID, store.TimeColumn{Into: &e.At}, &e.User, &e.Action, &e.Subject,
		&e.Data, &e.Prev, &e.Hash)
	return e, err
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

const selectAudit = "SELECT " + AuditColumns + " FROM audit"

// SelectAuditEnd selects seq and hash of the end of an organisation's audit log.
const SelectAuditEnd = "SELECT seq, hash FROM audit_heads WHERE org = ?"

// Audits implements store.AuditReader.
func (r Reader) Audits(
	ctx context.Context, org firemode.OrgID, user firemode.UserID, p store.Page,
) ([]store.Keyed[ledger.AuditEntry], error) {
	before := int64(math.MaxInt64)
	if p.After != "" {
		var err error
		if before, err = store.ParseSeq(p.After); err != nil {
			return nil, err
		}
	}
	query, args := selectAudit+" WHERE org = ? AND seq < ?", []any{org, before}
	if user != "" {
		query, args = query+" AND user_id = ?", append(args, user)
	}
	list, err := All(ctx, r.sql, ScanAudit, query+" ORDER BY seq DESC LIMIT ?", append(args, p.Limit)...)
	return Keyed(list, err, func(e ledger.AuditEntry) string { return strconv.FormatInt(e.Seq, 10) })
}

// EachAudit implements store.AuditReader.
func (r Reader) EachAudit(ctx context.Context, org firemode.OrgID, fn func(ledger.AuditEntry) error) error {
	return EachPage(chunk, func(last *ledger.AuditEntry) ([]ledger.AuditEntry, error) {
		var seq int64
		if last != nil {
			seq = last.Seq
		}
		return All(ctx, r.sql, ScanAudit, selectAudit+" WHERE org = ? AND seq > ? ORDER BY seq LIMIT ?", org, seq,
			chunk)
	}, fn)
}

// AuditEnd implements store.AuditReader.
func (r Reader) AuditEnd(ctx context.Context, org firemode.OrgID) (seq int64, hash []byte, err error) {
	end, err := One(ctx, r.sql, ScanAuditEnd, SelectAuditEnd, org)
	if errors.Is(err, ErrNone) {
		return 0, nil, nil
	}
	return end.Seq, end.Hash, err
}

// InsertAudit implements store.AuditWriter.
func (w Writer) InsertAudit(ctx context.Context, entries []ledger.AuditEntry) error {
	_, err := WriteAll(ctx, w.sql, AuditTaken, InsertInto("audit", AuditColumns), entries,
		func(e ledger.AuditEntry) ([]any, error) { return AuditValues(e), nil })
	if err != nil || len(entries) == 0 {
		return err
	}
	last := entries[len(entries)-1]
	return Exec(ctx, w.sql, `INSERT INTO audit_heads (org, seq, hash) VALUES (?, ?, ?)
		ON CONFLICT (org) DO UPDATE SET seq = excluded.seq, hash = excluded.hash`, last.Org, last.Seq, last.Hash)
}

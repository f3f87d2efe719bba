package sqlite

import (
	"context"
	"errors"
	"math"
	"strconv"
	"time"

	"firemode"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
	"firemode/internal/store/row"
)

const selectAudit = "SELECT " + row.AuditColumns + " FROM audit"

func (t readTx) Audits(ctx context.Context, org firemode.OrgID, user firemode.UserID, p store.Page) ([]store.Keyed[ledger.AuditEntry], error) {
	before := int64(math.MaxInt64)
	if p.After != "" {
		var err error
		if before, err = store.ParseSeq(p.After); err != nil {
			return nil, err
		}
	}
	query := selectAudit + " WHERE org = ?1 AND seq < ?2"
	if user != "" {
		query += " AND user_id = ?4"
	}
	list, err := all(ctx, t, row.ScanAudit, query+" ORDER BY seq DESC LIMIT ?3", org, before, p.Limit, user)
	return keyed(list, err, func(e ledger.AuditEntry) string { return strconv.FormatInt(e.Seq, 10) })
}

func (t readTx) EachAudit(ctx context.Context, org firemode.OrgID, fn func(ledger.AuditEntry) error) error {
	var last int64
	for {
		list, err := all(ctx, t, row.ScanAudit, selectAudit+" WHERE org = ? AND seq > ? ORDER BY seq LIMIT ?", org, last, chunk)
		if err != nil || len(list) == 0 {
			return err
		}
		for _, e := range list {
			if err := fn(e); err != nil {
				return err
			}
			last = e.Seq
		}
	}
}

func (t readTx) AuditEnd(ctx context.Context, org firemode.OrgID) (seq int64, hash []byte, err error) {
	end, err := one(ctx, t, row.ScanAuditEnd, "SELECT seq, hash FROM audit_heads WHERE org = ?", org)
	if errors.Is(err, errNone) {
		return 0, nil, nil
	}
	return end.Seq, end.Hash, err
}

// LockAudit needs no lock: an Update has the database to itself.
func (t writeTx) LockAudit(ctx context.Context, org firemode.OrgID) (seq int64, hash []byte, err error) {
	return t.AuditEnd(ctx, org)
}

func (t writeTx) InsertAudit(ctx context.Context, entries []ledger.AuditEntry) error {
	for _, e := range entries {
		_, err := t.write(ctx, row.AuditTaken,
			"INSERT INTO audit ("+row.AuditColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row.AuditValues(e)...)
		if err != nil {
			return err
		}
	}
	if len(entries) == 0 {
		return nil
	}
	last := entries[len(entries)-1]
	return t.exec(ctx, `INSERT INTO audit_heads (org, seq, hash) VALUES (?, ?, ?)
		ON CONFLICT (org) DO UPDATE SET seq = excluded.seq, hash = excluded.hash`, last.Org, last.Seq, last.Hash)
}

func (t readTx) Responses(ctx context.Context, keys []store.StoredResponse) ([]store.StoredResponse, error) {
	var list []store.StoredResponse
	for _, k := range keys {
		stored, err := all(ctx, t, row.ScanResponse,
			"SELECT "+row.ResponseColumns+" FROM answers WHERE scope = ? AND idempotency_key = ?", k.Scope, k.Key)
		if err != nil {
			return nil, err
		}
		list = append(list, stored...)
	}
	return list, nil
}

func (t writeTx) SaveResponses(ctx context.Context, answers []store.StoredResponse) error {
	for _, a := range answers {
		_, err := t.write(ctx, row.ResponseTaken,
			"INSERT INTO answers ("+row.ResponseColumns+") VALUES (?, ?, ?, ?, ?)", row.ResponseValues(a)...)
		if err != nil {
			return err
		}
	}
	return nil
}

func (t writeTx) DeleteResponses(ctx context.Context, before time.Time, limit int) (int, error) {
	n, err := t.write(ctx, row.Taken{}, `DELETE FROM answers WHERE rowid IN
		(SELECT rowid FROM answers WHERE created_at < ? ORDER BY created_at LIMIT ?)`, store.Micros(before), limit)
	return int(n), err
}

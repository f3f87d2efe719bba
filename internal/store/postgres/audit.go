package postgres

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
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
	query, args := selectAudit+" WHERE org = $1 AND seq < $2", []any{org, before, p.Limit}
	if user != "" {
		query, args = query+" AND user_id = $4", append(args, user)
	}
	list, err := all(ctx, t, row.ScanAudit, query+" ORDER BY seq DESC LIMIT $3", args...)
	return keyed(list, err, func(e ledger.AuditEntry) string { return strconv.FormatInt(e.Seq, 10) })
}

func (t readTx) EachAudit(ctx context.Context, org firemode.OrgID, fn func(ledger.AuditEntry) error) error {
	var last int64
	for {
		list, err := all(ctx, t, row.ScanAudit, selectAudit+" WHERE org = $1 AND seq > $2 ORDER BY seq LIMIT $3", org, last, chunk)
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
	end, err := one(ctx, t, row.ScanAuditEnd, "SELECT seq, hash FROM audit_heads WHERE org = $1", org)
	if errors.Is(err, errNone) {
		return 0, nil, nil
	}
	return end.Seq, end.Hash, err
}

func (t writeTx) LockAudit(ctx context.Context, org firemode.OrgID) (seq int64, hash []byte, err error) {
	const lock = "SELECT seq, hash FROM audit_heads WHERE org = $1 FOR UPDATE"
	end, err := one(ctx, t.readTx, row.ScanAuditEnd, lock, org)
	if errors.Is(err, errNone) { // the organisation's first entry: of two at once, one waits for the other here
		if err := t.exec(ctx, "INSERT INTO audit_heads (org, seq) VALUES ($1, 0) ON CONFLICT DO NOTHING", org); err != nil {
			return 0, nil, err
		}
		end, err = one(ctx, t.readTx, row.ScanAuditEnd, lock, org)
	}
	return end.Seq, end.Hash, err
}

func (t writeTx) InsertAudit(ctx context.Context, entries []ledger.AuditEntry) error {
	_, err := writeAll(ctx, t, row.AuditTaken, insertInto("audit", row.AuditColumns), entries,
		func(e ledger.AuditEntry) ([]any, error) { return row.AuditValues(e), nil })
	if err != nil || len(entries) == 0 {
		return err
	}
	last := entries[len(entries)-1]
	return t.exec(ctx, `INSERT INTO audit_heads (org, seq, hash) VALUES ($1, $2, $3)
		ON CONFLICT (org) DO UPDATE SET seq = excluded.seq, hash = excluded.hash`, last.Org, last.Seq, last.Hash)
}

func (t readTx) Responses(ctx context.Context, keys []store.StoredResponse) ([]store.StoredResponse, error) {
	var scopes, ids []string
	for _, k := range keys {
		scopes, ids = append(scopes, k.Scope), append(ids, k.Key)
	}
	return all(ctx, t, row.ScanResponse, "SELECT "+row.ResponseColumns+` FROM (SELECT DISTINCT * FROM unnest($1::text[], $2::text[]) k (of_scope, name)) k
		CROSS JOIN LATERAL (SELECT * FROM answers WHERE scope = k.of_scope AND idempotency_key = k.name OFFSET 0) a`, scopes, ids)
}

func (t writeTx) SaveResponses(ctx context.Context, answers []store.StoredResponse) error {
	// In one order for all, so that two transactions with the same keys cannot wait for each other.
	ordered := slices.SortedFunc(slices.Values(answers), func(a, b store.StoredResponse) int {
		return cmp.Or(cmp.Compare(a.Scope, b.Scope), cmp.Compare(a.Key, b.Key))
	})
	_, err := writeAll(ctx, t, row.ResponseTaken, insertInto("answers", row.ResponseColumns), ordered,
		func(a store.StoredResponse) ([]any, error) { return row.ResponseValues(a), nil })
	return err
}

func (t writeTx) DeleteResponses(ctx context.Context, before time.Time, limit int) (int, error) {
	n, err := t.write(ctx, row.Taken{}, `DELETE FROM answers WHERE ctid = ANY (ARRAY
		(SELECT ctid FROM answers WHERE created_at < $1 ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED))`,
		store.Micros(before), limit)
	return int(n), err
}

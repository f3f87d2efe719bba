package postgres

import (
	"context"

	"firemode/internal/record/ledger"
	"firemode/internal/store/row"
)

func (t readTx) Entries(ctx context.Context, s ledger.SessionRef, refs []ledger.BatchRef) ([]ledger.Entry, error) {
	actors, numbers := columns(refs,
		func(r ledger.BatchRef) string { return string(r.Actor) }, func(r ledger.BatchRef) int64 { return r.Number })
	return row.All(ctx, t.sql, row.ScanEntry, "SELECT "+row.EntryColumns+
		" FROM (SELECT DISTINCT * FROM unnest($3::text[], $4::bigint[]) r (who, n)) r"+batchOf+
		"kind = 'changes' AND actor = r.who AND number = r.n OFFSET 0) b", s.Org, s.Session, actors, numbers)
}

func (t readTx) EntriesByKey(ctx context.Context, s ledger.SessionRef, keys []ledger.BatchKey) ([]ledger.Entry, error) {
	actors, names := columns(keys,
		func(k ledger.BatchKey) string { return string(k.Actor) }, func(k ledger.BatchKey) string { return k.Key })
	return row.All(ctx, t.sql, row.ScanEntry, "SELECT "+row.EntryColumns+
		" FROM (SELECT DISTINCT * FROM unnest($3::text[], $4::text[]) k (who, name)) k"+batchOf+
		"idempotency_key <> '' AND actor = k.who AND idempotency_key = k.name OFFSET 0) b", s.Org, s.Session, actors,
		names)
}

func (t writeTx) MarkMerged(ctx context.Context, s ledger.SessionRef, seqs []int64, merged int64) error {
	return row.Exec(ctx, t.sql, "UPDATE batches SET merged_seq = $1 WHERE org = $2 AND session_id = $3 "+
		"AND seq = ANY($4)",
		merged, s.Org, s.Session, seqs)
}

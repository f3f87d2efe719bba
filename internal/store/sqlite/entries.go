package sqlite

import (
	"context"

	"firemode/internal/record/ledger"
	"firemode/internal/store/row"
)

// Queries that must not cost more as the log grows name their index: the planner has no statistics
// and takes a primary key that holds all of a session for as good as a partial index that holds
// what is live.

func (t readTx) Entries(ctx context.Context, s ledger.SessionRef, refs []ledger.BatchRef) ([]ledger.Entry, error) {
	return row.All(ctx, t.sql, row.ScanEntry, "SELECT "+row.EntryColumns+` FROM json_each(?3) r
		CROSS JOIN batches INDEXED BY batches_actor WHERE org = ?1 AND session_id = ?2 AND kind = 'changes'
			AND actor = r.value ->> 'Actor' AND number = r.value ->> 'Number'`, s.Org, s.Session, list(refs))
}

func (t readTx) EntriesByKey(ctx context.Context, s ledger.SessionRef, keys []ledger.BatchKey) ([]ledger.Entry, error) {
	return row.All(ctx, t.sql, row.ScanEntry, "SELECT "+row.EntryColumns+` FROM json_each(?3) k
		CROSS JOIN batches INDEXED BY batches_key WHERE org = ?1 AND session_id = ?2
			AND actor = k.value ->> 'Actor' AND idempotency_key = k.value ->> 'Key' AND idempotency_key <> ''`, s.Org,
		s.Session, list(keys))
}

func (t writeTx) MarkMerged(ctx context.Context, s ledger.SessionRef, seqs []int64, merged int64) error {
	return row.Exec(ctx, t.sql, `UPDATE batches SET merged_seq = ? WHERE org = ? AND session_id = ?
		AND seq IN (SELECT value FROM json_each(?))`, merged, s.Org, s.Session, list(seqs))
}

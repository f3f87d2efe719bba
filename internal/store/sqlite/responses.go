package sqlite

import (
	"context"
	"time"

	"firemode/internal/store"
	"firemode/internal/store/row"
)

func (t readTx) Responses(ctx context.Context, keys []store.StoredResponse) ([]store.StoredResponse, error) {
	var list []store.StoredResponse
	for _, k := range keys {
		stored, err := row.All(ctx, t.sql, row.ScanResponse,
			"SELECT "+row.ResponseColumns+" FROM answers WHERE scope = ? AND idempotency_key = ?", k.Scope, k.Key)
		if err != nil {
			return nil, err
		}
		list = append(list, stored...)
	}
	return list, nil
}

func (t writeTx) DeleteResponses(ctx context.Context, before time.Time, limit int) (int, error) {
	n, err := t.sql.Write(ctx, row.Taken{}, `DELETE FROM answers WHERE rowid IN
		(SELECT rowid FROM answers WHERE created_at < ? ORDER BY created_at LIMIT ?)`, store.Micros(before), limit)
	return int(n), err
}

package postgres

import (
	"context"
	"time"

	"firemode/internal/store"
	"firemode/internal/store/row"
)

func (t readTx) Responses(ctx context.Context, keys []store.StoredResponse) ([]store.StoredResponse, error) {
	var scopes, ids []string
	for _, k := range keys {
		scopes, ids = append(scopes, k.Scope), append(ids, k.Key)
	}
	return row.All(ctx, t.sql, row.ScanResponse, "SELECT "+row.ResponseColumns+` FROM (SELECT DISTINCT *
		FROM unnest($1::text[], $2::text[]) k (of_scope, name)) k
		CROSS JOIN LATERAL (SELECT * FROM answers WHERE scope = k.of_scope AND idempotency_key = k.name OFFSET 0) a`,
		scopes, ids)
}

func (t writeTx) DeleteResponses(ctx context.Context, before time.Time, limit int) (int, error) {
	n, err := t.sql.Write(ctx, row.Taken{}, `DELETE FROM answers WHERE ctid = ANY (ARRAY
		(SELECT ctid FROM answers WHERE created_at < $1 ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED))`,
		store.Micros(before), limit)
	return int(n), err
}

package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
	"go.opentelemetry.io/otel/trace"

	"firemode/internal/store"
	"firemode/internal/store/row"
)

// TracerOf is what Open gives to its connections.
func TracerOf(provider trace.TracerProvider, c *pgx.ConnConfig) pgx.QueryTracer {
	return newTracer(provider, c)
}

// RowsRead returns how many rows the connection of tx has read from tables and has not handed in to
// the statistics of all yet.
func RowsRead(ctx context.Context, tx store.ReadTx) (int64, error) {
	return row.One(ctx, tx.(readTx).sql, row.Int, "SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::bigint "+
		"FROM pg_stat_xact_user_tables")
}

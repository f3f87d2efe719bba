package postgres

import (
	"context"

	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
	"firemode/internal/store/row"
)

// prefixAt is the contiguous prefix of actor a.id as of a.seq.
const prefixAt = `coalesce((SELECT number FROM batches b WHERE b.org = $1 AND b.session_id = $2 AND b.actor = a.id
	AND b.run_seq > 0
	AND b.run_seq <= a.seq ORDER BY b.run_seq DESC, b.number DESC LIMIT 1), 0)`

func (t readTx) Prefixes(ctx context.Context, s ledger.SessionRef, asks []store.PrefixAsk) ([]int64, error) {
	actors, seqs := columns(asks,
		func(a store.PrefixAsk) string { return string(a.Actor) }, func(a store.PrefixAsk) int64 { return a.Seq })
	return row.All(ctx, t.sql, row.Int,
		"SELECT "+prefixAt+" FROM unnest($3::text[], $4::bigint[]) WITH ORDINALITY a (id, seq, n) ORDER BY n",
		s.Org, s.Session, actors, seqs)
}

func (t readTx) ClockAt(ctx context.Context, s ledger.SessionRef, seq int64) (crdt.Clock, error) {
	return row.Clock(ctx, t.sql,
		"SELECT id, "+prefixAt+" FROM (SELECT id, $3::bigint AS seq FROM actors WHERE org = $1 AND session_id = $2) a",
		s.Org, s.Session, seq)
}

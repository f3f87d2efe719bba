package sqlite

import (
	"context"
	"errors"

	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
	"firemode/internal/store/row"
)

func (t readTx) Prefixes(ctx context.Context, s ledger.SessionRef, asks []store.PrefixAsk) ([]int64, error) {
	prefixes := make([]int64, len(asks))
	for i, ask := range asks {
		n, err := row.One(ctx, t.sql, row.Int, `SELECT number FROM batches WHERE org = ? AND session_id = ?
			AND actor = ?
			AND run_seq > 0 AND run_seq <= ? ORDER BY run_seq DESC, number DESC LIMIT 1`, s.Org, s.Session, ask.Actor,
			ask.Seq)
		if err != nil && !errors.Is(err, row.ErrNone) {
			return nil, err
		}
		prefixes[i] = n
	}
	return prefixes, nil
}

func (t readTx) ClockAt(ctx context.Context, s ledger.SessionRef, seq int64) (crdt.Clock, error) {
	return row.Clock(ctx, t.sql, `SELECT id, coalesce((SELECT number FROM batches b
			WHERE b.org = a.org AND b.session_id = a.session_id AND b.actor = a.id AND run_seq > 0 AND run_seq <= ?
			ORDER BY b.run_seq DESC, b.number DESC LIMIT 1), 0)
		FROM actors a WHERE org = ? AND session_id = ?`, seq, s.Org, s.Session)
}

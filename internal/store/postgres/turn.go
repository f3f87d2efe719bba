package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// writersOf is how many of a node's connections Updates may have at once: a quarter is left to
// Views, so that what is read, and the look for revocations above all, goes on while every Update
// waits for a lock.
func writersOf(connections int32) int { return max(1, int(connections)*3/4) }

// turn begins a transaction of an Update as soon as there is a connection for one; end gives the
// turn to the next.
func (s *Store) turn(ctx context.Context) (tx pgx.Tx, end func(), err error) {
	ticket := s.waiting.Join()
	defer ticket.Leave()
	select {
	case s.writers <- struct{}{}:
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
	end = func() { <-s.writers }
	tx, err = s.pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.ReadCommitted})
	if err != nil {
		end()
		return nil, nil, err
	}
	return tx, end, nil
}

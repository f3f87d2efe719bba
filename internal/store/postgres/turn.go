package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// writersOf returns how many connections of a node Updates may use at once. A quarter is left to
// Views, so that reads, and above all the poll for revocations, go on while every Update waits for
// a lock.
func writersOf(connections int32) int { return max(1, int(connections)*3/4) }

// turn waits until an Update may use a connection and begins its transaction. end lets the next
// Update begin.
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

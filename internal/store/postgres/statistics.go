package postgres

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// statistics analyses the tables of results while they are young. Until the first autovacuum, about
// a minute after the first rows, the planner takes the tables for empty and chooses any index: a
// look-up of a path may then read the whole session. The node counts the operations and items that
// it inserts, and analyses the tables each time the count has doubled, up to lastAnalysis; then
// autovacuum takes over.
type statistics struct {
	pool     *pgxpool.Pool
	inserted atomic.Int64
	next     atomic.Int64
	running  sync.WaitGroup
}

const (
	firstAnalysis = 500
	lastAnalysis  = 100_000
)

func newStatistics(pool *pgxpool.Pool) *statistics {
	s := &statistics{pool: pool}
	s.next.Store(firstAnalysis)
	return s
}

// inserted counts rows once they are committed. It keeps no reference to them.
func (t writeTx) inserted(rows int) { t.AfterCommit(func() { t.sql.statistics.added(rows) }) }

// added counts operations or items that were committed.
func (s *statistics) added(rows int) {
	next := s.next.Load()
	if s.inserted.Add(int64(rows)) < next || next > lastAnalysis || !s.next.CompareAndSwap(next, 2*next) {
		return
	}
	s.running.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		// A failure costs only speed, and autovacuum does the same later.
		_, _ = s.pool.Exec(ctx, "ANALYZE ops, batches, actors, answers, items, audit")
	})
}

// stop waits for a running analysis.
func (s *statistics) stop() { s.running.Wait() }

package postgres

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// statistics has the tables of results analysed while they are young. Until autovacuum comes by, a minute or so into the life of a
// database, the planner believes that they are empty, and any of their indexes is as good as another to it: finding what is
// live at a path may then cost all that ever was in the session. Operations and items are counted as this node inserts them; each time they
// have doubled the tables are analysed, and past the last step autovacuum is left to it.
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
		// A failure costs speed alone, and autovacuum does the same later.
		_, _ = s.pool.Exec(ctx, "ANALYZE ops, batches, actors, answers, items, audit")
	})
}

// stop waits for an analysis that runs.
func (s *statistics) stop() { s.running.Wait() }

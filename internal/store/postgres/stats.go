package postgres

import (
	"context"

	"firemode/internal/store"
	"firemode/internal/store/row"
)

// Stats returns how busy the pool of this node is. Updates that have a connection do not queue.
func (s *Store) Stats() store.Stats {
	p := s.pool.Stat()
	return store.Stats{
		Pools: []store.Pool{{
			Name: "all", InUse: int(p.AcquiredConns()), Idle: int(p.IdleConns()), Max: int(p.MaxConns()),
			Waits: p.EmptyAcquireCount(), Waited: p.EmptyAcquireWaitTime(),
		}},
		Wait: s.waiting.LongestWait(),
	}
}

// Backlog reads the index over what is open.
func (s *Store) Backlog(ctx context.Context) (b store.Backlog, err error) {
	err = s.View(ctx, func(tx store.ReadTx) (err error) {
		b, err = row.One(ctx, tx.(readTx).sql, row.ScanBacklog, selectBacklog)
		return err
	})
	return b, err
}

// The condition repeats that of the index word for word, so that the planner uses the index.
const selectBacklog = `
	SELECT coalesce(sum(h.conflicts), 0)::bigint, coalesce(sum(h.gaps), 0)::bigint
	FROM session_heads h
	JOIN sessions s ON s.org = h.org AND s.id = h.session_id AND s.status <> 'completed'
	JOIN buildings b ON b.org = s.org AND b.id = s.building_id AND b.status <> 'archived'
	WHERE h.conflicts > 0 OR h.gaps > 0`

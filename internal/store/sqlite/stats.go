package sqlite

import (
	"context"

	"firemode/internal/store"
	"firemode/internal/store/row"
)

// Stats returns how busy the writing connection and the reading ones are.
func (s *Store) Stats() store.Stats {
	return store.Stats{
		Pools:  []store.Pool{s.writer.pool(), s.readers.pool()},
		Queues: []store.Queue{{Name: "writer", Depth: s.writer.waiting.Len()}},
		Wait:   s.writer.waiting.LongestWait(),
	}
}

func (w *writer) pool() store.Pool {
	p := store.Pool{Name: "writer", Max: 1, Waits: w.waits.count.Load(), Waited: w.waits.total()}
	switch {
	case w.busy.Load():
		p.InUse = 1
	case w.opened.Load():
		p.Idle = 1
	}
	return p
}

func (r *readers) pool() store.Pool {
	lent := cap(r.idle) - len(r.idle)
	return store.Pool{
		Name: "readers", InUse: lent, Idle: max(0, int(r.opened.Load())-lent), Max: cap(r.idle),
		Waits: r.waits.count.Load(), Waited: r.waits.total(),
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
	SELECT coalesce(sum(h.conflicts), 0), coalesce(sum(h.gaps), 0)
	FROM session_heads h
	CROSS JOIN sessions s ON s.org = h.org AND s.id = h.session_id AND s.status <> 'completed'
	CROSS JOIN buildings b ON b.org = s.org AND b.id = s.building_id AND b.status <> 'archived'
	WHERE h.conflicts > 0 OR h.gaps > 0`

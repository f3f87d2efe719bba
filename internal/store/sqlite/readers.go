package sqlite

import (
	"context"
	"database/sql"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/trace"

	"firemode"
	"firemode/internal/store"
)

// readers lends connections to Views.
type readers struct {
	db     *sql.DB
	now    func() time.Time
	tracer trace.Tracer
	idle   chan *conn // holds nil for a connection that is not open yet
	opened atomic.Int64
	waits  waits
}

func newReaders(db *sql.DB, c Config, tracer trace.Tracer) *readers {
	r := &readers{db: db, now: c.Now, tracer: tracer, idle: make(chan *conn, c.Readers)}
	for range c.Readers {
		r.idle <- nil
	}
	return r
}

func (r *readers) take(ctx context.Context) (*conn, error) {
	c, err := r.await(ctx)
	if c != nil || err != nil {
		return c, err
	}
	c, err = connect(ctx, r.db, r.tracer)
	if err == nil {
		if _, err = c.raw.ExecContext(ctx, "PRAGMA query_only = 1"); err == nil {
			r.opened.Add(1)
			return c, nil
		}
		c.close()
	}
	r.idle <- nil
	return nil, translate(err)
}

// await takes a connection, or nil for one that is not open yet.
func (r *readers) await(ctx context.Context) (*conn, error) {
	select {
	case c, open := <-r.idle:
		return c, unlessOpen(open)
	default:
	}
	begun := r.now()
	defer func() { r.waits.add(r.now().Sub(begun)) }()
	select {
	case c, open := <-r.idle:
		return c, unlessOpen(open)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func unlessOpen(open bool) error {
	if open {
		return nil
	}
	return errClosed()
}

// give returns a connection, or nil for one that was closed.
func (r *readers) give(c *conn) {
	if c == nil {
		r.opened.Add(-1)
	}
	r.idle <- c
}

// close waits for the Views that run.
func (r *readers) close() {
	for range cap(r.idle) {
		if c := <-r.idle; c != nil {
			c.close()
		}
	}
	close(r.idle)
}

// View runs fn on a consistent snapshot: the one of its first read.
func (s *Store) View(ctx context.Context, fn func(store.ReadTx) error) error {
	c, err := s.readers.take(ctx)
	if err != nil {
		return err
	}
	lasting := context.WithoutCancel(ctx) // the snapshot is released even if ctx is over
	defer func() {
		if c.do(lasting, "ROLLBACK") != nil {
			c.close()
			c = nil
		}
		s.readers.give(c)
	}()
	if err := c.do(lasting, "BEGIN DEFERRED"); err != nil {
		return translate(err)
	}
	tx := &transaction{conn: c}
	defer tx.end()
	return fn(newReadTx(tx, false))
}

func errClosed() error { return firemode.Unavailable(time.Second, "the server is stopping") }

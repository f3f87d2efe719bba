package sqlite

import (
	"context"
	"database/sql"
	"time"

	"go.opentelemetry.io/otel/trace"

	"firemode"
	"firemode/internal/store"
)

// readers lends connections to Views.
type readers struct {
	db     *sql.DB
	tracer trace.Tracer
	idle   chan *conn // holds nil for a connection that is yet to be opened
}

func newReaders(db *sql.DB, tracer trace.Tracer, n int) *readers {
	r := &readers{db: db, tracer: tracer, idle: make(chan *conn, n)}
	for range n {
		r.idle <- nil
	}
	return r
}

func (r *readers) take(ctx context.Context) (*conn, error) {
	select {
	case c, open := <-r.idle:
		if !open {
			return nil, errClosed()
		}
		if c != nil {
			return c, nil
		}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	c, err := connect(ctx, r.db, r.tracer)
	if err == nil {
		if _, err = c.raw.ExecContext(ctx, "PRAGMA query_only = 1"); err == nil {
			return c, nil
		}
		c.close()
	}
	r.idle <- nil
	return nil, translate(err)
}

// give takes a connection back; nil for one that had to be closed.
func (r *readers) give(c *conn) { r.idle <- c }

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
	lasting := context.WithoutCancel(ctx) // a snapshot is let go of also when ctx is over
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
	return fn(tx)
}

func errClosed() error { return firemode.Unavailable(time.Second, "the server is stopping") }

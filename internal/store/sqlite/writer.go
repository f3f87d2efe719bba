package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"runtime/debug"
	"sync"
	"time"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"firemode/internal/batch"
	"firemode/internal/store"
)

const (
	// groupSize is the most Updates that share a commit: it bounds what the first of them waits for the others.
	groupSize = 256
	// patience is how long the statements of one Update may go on.
	patience = 30 * time.Second
)

// writer owns the one connection that writes, and the goroutine that uses it.
type writer struct {
	db     *sql.DB
	now    func() time.Time
	tracer trace.Tracer
	conn   *conn // nil until it is needed, and again after it failed
	queue  chan *update
	idle   chan struct{} // closed when the goroutine has ended

	mu     sync.RWMutex // held for writing to close the queue, for reading to send to it
	closed bool
}

// update is one call of Store.Update.
type update struct {
	fn   func(store.Tx) error
	span trace.Span // of the caller
	tx   *transaction
	err  error
	done chan struct{}
}

func newUpdate(ctx context.Context, fn func(store.Tx) error) *update {
	return &update{fn: fn, span: trace.SpanFromContext(ctx), done: make(chan struct{})}
}

func startWriter(db *sql.DB, tracer trace.Tracer, now func() time.Time) *writer {
	w := &writer{db: db, now: now, tracer: tracer, queue: make(chan *update, groupSize), idle: make(chan struct{})}
	go w.run()
	return w
}

// stop lets the queue run empty.
func (w *writer) stop() {
	w.mu.Lock()
	w.closed = true
	close(w.queue)
	w.mu.Unlock()
	<-w.idle
}

// Update runs fn in a transaction and waits until it is on the disk, whatever becomes of ctx.
func (s *Store) Update(ctx context.Context, fn func(store.Tx) error) error {
	u := newUpdate(ctx, fn)
	if !s.writer.enqueue(u) {
		return errClosed()
	}
	<-u.done
	if u.err != nil {
		return u.err
	}
	for _, f := range u.tx.afterCommit {
		f()
	}
	return nil
}

func (w *writer) enqueue(u *update) bool {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if !w.closed {
		w.queue <- u
	}
	return !w.closed
}

func (w *writer) run() {
	ended := false
	defer func() {
		if !ended { // a function has ended the goroutine, as a test's FailNow does
			go w.run()
		}
	}()
	group := make([]*update, 0, groupSize)
	for u := range w.queue {
		group = w.gather(append(group[:0], u))
		w.serve(group)
		clear(group)
	}
	if w.conn != nil {
		w.conn.close()
	}
	ended = true
	close(w.idle)
}

// serve commits a group and answers all of it, whatever its functions do.
func (w *writer) serve(group []*update) {
	served := false
	defer func() {
		if !served {
			w.drop()
			fail(group, errors.New("the function of an Update ended the writer's goroutine"))
		}
		for _, u := range group {
			close(u.done)
		}
	}()
	w.commit(group)
	served = true
}

// gather adds what waits already, and waits for nothing.
func (w *writer) gather(group []*update) []*update {
	for len(group) < groupSize {
		select {
		case u, open := <-w.queue:
			if !open {
				return group
			}
			group = append(group, u)
		default:
			return group
		}
	}
	return group
}

// commit runs the functions of group in one transaction and sets the error of each.
func (w *writer) commit(group []*update) {
	ctx, span := batch.Span(context.Background(), w.tracer, "transaction", spansOf(group))
	defer span.End()
	if err := w.begin(ctx); err != nil {
		span.SetStatus(codes.Error, "not begun")
		fail(group, translate(err))
		return
	}
	kept := make([]*update, 0, len(group))
	for _, u := range group {
		if err := w.runOne(ctx, u, len(group) > 1); err != nil {
			span.SetStatus(codes.Error, "undone")
			// SQLite has given up the whole transaction, as it may when the disk is full: nothing of it is there.
			w.drop()
			fail(group, undone(errors.Join(u.err, err)))
			return
		}
		if u.err == nil {
			kept = append(kept, u)
		}
	}
	end := "COMMIT"
	if len(kept) == 0 {
		end = "ROLLBACK"
	}
	if err := w.conn.do(ctx, end); err != nil {
		span.SetStatus(codes.Error, "unknown")
		w.drop()
		fail(kept, unknown(err))
	}
}

func spansOf(group []*update) iter.Seq[trace.Span] {
	return func(yield func(trace.Span) bool) {
		for _, u := range group {
			if !yield(u.span) {
				return
			}
		}
	}
}

// fail gives err to those of group that have no error of their own.
func fail(group []*update, err error) {
	for _, u := range group {
		if u.err == nil {
			u.err = err
		}
	}
}

func (w *writer) begin(ctx context.Context) (err error) {
	if w.conn == nil {
		if w.conn, err = connect(ctx, w.db, w.tracer); err != nil {
			return err
		}
	}
	if err = w.conn.do(ctx, "BEGIN IMMEDIATE"); err != nil {
		w.drop()
	}
	return err
}

// drop closes a connection whose state is in doubt; SQLite rolls back what it had open.
func (w *writer) drop() {
	w.conn.close()
	w.conn = nil
}

// runOne runs the function of u and sets its error. In a group it has a savepoint, so that its failure undoes its own writes
// alone; when it is by itself, the transaction is enough. The error that is returned is one of the whole transaction.
func (w *writer) runOne(ctx context.Context, u *update, grouped bool) error {
	if grouped {
		if err := w.conn.do(ctx, "SAVEPOINT one"); err != nil {
			return err
		}
	}
	now := w.now()
	u.tx = &transaction{conn: w.conn, at: now.UTC().Truncate(time.Microsecond), clock: w.now, deadline: now.Add(patience)}
	u.err = run(u.tx, u.fn)
	if !grouped {
		return nil
	}
	if u.err != nil {
		if err := w.conn.do(ctx, "ROLLBACK TO one"); err != nil {
			return err
		}
	}
	return w.conn.do(ctx, "RELEASE one")
}

// run makes an error of a panic, as every engine does.
func run(tx *transaction, fn func(store.Tx) error) (err error) {
	defer func() {
		tx.end()
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in an Update: %v\n%s", p, debug.Stack())
		}
	}()
	if err := fn(tx); err != nil {
		return err
	}
	return tx.broken
}

package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"firemode/internal/groupcommit"
	"firemode/internal/store"
)

const (
	// groupSize is the most Updates that share a commit. It bounds how long the first of them waits
	// for the others.
	groupSize = 256
	// updateTimeout is how long the statements of one Update may take together.
	updateTimeout = 30 * time.Second
)

// writer owns the one connection that writes, and the goroutine that uses it.
type writer struct {
	db           *sql.DB
	now          func() time.Time
	tracer       trace.Tracer
	readers      *readers
	checkpointed time.Time // when it was last tried
	conn         *conn     // nil until it is needed, and after a failure
	queue        chan *update
	waiting      *groupcommit.WaitQueue // of Updates whose function has not begun
	group        []*update              // that is being committed
	idle         chan struct{}          // closed when the goroutine has ended

	liveness *groupcommit.Liveness // of the goroutine

	mu     sync.RWMutex // held for writing to close the queue, for reading to send to it
	closed bool

	committed func(updates int)
	busy      atomic.Bool // a group is being committed
	opened    atomic.Bool // conn is there
	waits     waits       // of Updates that found the writer busy
}

// update is one call of Store.Update.
type update struct {
	fn     func(store.Tx) error
	span   trace.Span // of the caller
	ticket *groupcommit.Ticket
	tx     *transaction
	err    error
	done   chan struct{}
	since  time.Time // when it began to wait; zero if the writer had nothing else to do
}

func newUpdate(ctx context.Context, fn func(store.Tx) error) *update {
	return &update{fn: fn, span: trace.SpanFromContext(ctx), done: make(chan struct{})}
}

func startWriter(db *sql.DB, c Config, r *readers, tracer trace.Tracer) *writer {
	w := &writer{
		db: db, now: c.Now, tracer: tracer, readers: r, committed: c.Committed, queue: make(chan *update, groupSize),
		waiting: groupcommit.NewWaitQueue(c.Now),
		idle:    make(chan struct{}), liveness: groupcommit.NewLiveness(),
	}
	start := c.Supervise
	if start == nil {
		start = groupcommit.Unsupervised
	}
	start(w.run)
	return w
}

// Update runs fn in a transaction and waits until it is on the disk, even if ctx ends.
func (s *Store) Update(ctx context.Context, fn func(store.Tx) error) error {
	u := newUpdate(ctx, fn)
	u.ticket = s.writer.waiting.Join()
	if err := s.writer.enqueue(u); err != nil {
		u.ticket.Leave()
		return err
	}
	<-u.done
	if u.err != nil {
		return u.err
	}
	for _, f := range u.tx.afterCommit {
		f()
	}
	s.watchers.report(u.tx.topics)
	return nil
}

// serve commits the group of u and what is queued, and ends the calls of all of them, even if a
// function ends the goroutine.
func (w *writer) serve(u *update) {
	w.group = append(w.group[:0], u)
	served := false
	defer func() {
		w.busy.Store(false)
		if !served {
			w.drop()
			// SQLite rolls back what it had open, unless that was the commit.
			fail(w.group, store.OutcomeUnknown(errWriterDied))
		}
		for _, u := range w.group {
			u.ticket.Leave()
			close(u.done)
		}
		clear(w.group)
	}()
	w.gather()
	w.took()
	w.commit(w.group)
	served = true
}

// took measures how long the group has waited.
func (w *writer) took() {
	w.busy.Store(true)
	for _, u := range w.group {
		if !u.since.IsZero() {
			w.waits.add(w.now().Sub(u.since))
		}
	}
}

// gather adds what is queued now to the group. It does not wait.
func (w *writer) gather() {
	for len(w.group) < groupSize {
		select {
		case u, open := <-w.queue:
			if !open {
				return
			}
			w.group = append(w.group, u)
		default:
			return
		}
	}
}

// commit runs the functions of group in one transaction and sets the error of each.
func (w *writer) commit(group []*update) {
	ctx, span := groupcommit.Span(context.Background(), w.tracer, "transaction", spansOf(group))
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
			// SQLite has rolled back the whole transaction, as it may when the disk is full.
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
		fail(kept, store.OutcomeUnknown(err)) // the log may have reached the disk
		return
	}
	if len(kept) > 0 {
		w.committed(len(kept))
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

var errWriterDied = errors.New("the goroutine of the writer died")

// fail sets err for those of group that have no error of their own.
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
		w.opened.Store(true)
	}
	if err = w.conn.do(ctx, "BEGIN IMMEDIATE"); err != nil {
		w.drop()
	}
	return err
}

// drop closes a connection whose state is unknown; SQLite rolls back what it had open.
func (w *writer) drop() {
	if w.conn != nil {
		w.conn.close()
		w.conn = nil
		w.opened.Store(false)
	}
}

// runOne runs the function of u and sets its error. In a group it has a savepoint, so that its
// failure undoes its own writes only; a group of one needs none. The returned error is one of the
// whole transaction.
func (w *writer) runOne(ctx context.Context, u *update, grouped bool) error {
	if grouped {
		if err := w.conn.do(ctx, "SAVEPOINT one"); err != nil {
			return err
		}
	}
	u.ticket.Leave()
	now := w.now()
	u.tx = &transaction{
		conn: w.conn, at: now.UTC().Truncate(time.Microsecond), clock: w.now,
		deadline: now.Add(updateTimeout),
	}
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

// run turns a panic into an error, as every engine does.
func run(tx *transaction, fn func(store.Tx) error) (err error) {
	defer func() {
		tx.end()
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in an Update: %v\n%s", p, debug.Stack())
		}
	}()
	if err := fn(newWriteTx(tx)); err != nil {
		return err
	}
	return tx.broken
}

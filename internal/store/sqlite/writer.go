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
	// groupSize is the most Updates that share a commit: it bounds what the first of them waits for
	// the others.
	groupSize = 256
	// patience is how long the statements of one Update may go on.
	patience = 30 * time.Second
)

// writer owns the one connection that writes, and the goroutine that uses it.
type writer struct {
	db           *sql.DB
	now          func() time.Time
	tracer       trace.Tracer
	readers      *readers
	checkpointed time.Time // when it was last tried
	conn         *conn     // nil until it is needed, and again after it failed
	queue        chan *update
	waiting      *groupcommit.WaitQueue // of those whose function has not begun
	group        []*update              // in its hands
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

// Update runs fn in a transaction and waits until it is on the disk, whatever becomes of ctx.
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
	s.watchers.tell(u.tx.topics)
	return nil
}

// turn serves u and what waits beside it, and answers all of them, whatever their functions do.
func (w *writer) turn(u *update) {
	w.group = append(w.group[:0], u)
	served := false
	defer func() {
		w.busy.Store(false)
		if !served {
			w.drop()
			fail(w.group, lost())
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

// took notes that the group waits no longer.
func (w *writer) took() {
	w.busy.Store(true)
	for _, u := range w.group {
		if !u.since.IsZero() {
			w.waits.add(w.now().Sub(u.since))
		}
	}
}

// gather adds what waits already, and waits for nothing.
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
			// SQLite has given up the whole transaction, as it may when the disk is full: nothing
			// of it is there.
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
		w.opened.Store(true)
	}
	if err = w.conn.do(ctx, "BEGIN IMMEDIATE"); err != nil {
		w.drop()
	}
	return err
}

// drop closes a connection whose state is in doubt; SQLite rolls back what it had open.
func (w *writer) drop() {
	if w.conn != nil {
		w.conn.close()
		w.conn = nil
		w.opened.Store(false)
	}
}

// runOne runs the function of u and sets its error. In a group it has a savepoint, so that its
// failure undoes its own writes alone; when it is by itself, the transaction is enough. The error
// that is returned is one of the whole transaction.
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
		deadline: now.Add(patience),
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

// run makes an error of a panic, as every engine does.
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

package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"firemode/internal/queue"
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
	db    *sql.DB
	now   func() time.Time
	conn  *conn // nil until it is needed, and again after it failed
	queue chan *update
	line  *queue.Line   // of those whose function has not begun
	idle  chan struct{} // closed when the goroutine has ended

	mu     sync.RWMutex // held for writing to close the queue, for reading to send to it
	closed bool

	committed func(updates int)
	waiting   atomic.Int64 // Updates that were called and are in no group yet
	busy      atomic.Bool  // a group is being committed
	opened    atomic.Bool  // conn is there
	waits     waits        // of Updates that found the writer busy
}

// update is one call of Store.Update.
type update struct {
	fn    func(store.Tx) error
	place *queue.Place
	tx    *transaction
	err   error
	done  chan struct{}
	since time.Time // when it began to wait; zero if the writer had nothing else to do
}

func startWriter(db *sql.DB, c Config) *writer {
	w := &writer{
		db: db, now: c.Now, committed: c.Committed, queue: make(chan *update, groupSize), line: queue.NewLine(c.Now), idle: make(chan struct{}),
	}
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
	u := &update{fn: fn, place: s.writer.line.Join(), done: make(chan struct{})}
	if !s.writer.enqueue(u) {
		u.place.Leave()
		return errClosed()
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

func (w *writer) enqueue(u *update) bool {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.closed {
		return false
	}
	if w.busy.Load() {
		u.since = w.now()
	}
	w.waiting.Add(1)
	w.queue <- u
	return true
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
	w.took(group)
	served := false
	defer func() {
		w.busy.Store(false)
		if !served {
			w.drop()
			fail(group, errors.New("the function of an Update ended the writer's goroutine"))
		}
		for _, u := range group {
			u.place.Leave()
			close(u.done)
		}
	}()
	w.commit(group)
	served = true
}

// took notes that group waits no longer.
func (w *writer) took(group []*update) {
	w.busy.Store(true)
	w.waiting.Add(-int64(len(group)))
	for _, u := range group {
		if !u.since.IsZero() {
			w.waits.add(w.now().Sub(u.since))
		}
	}
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
	if err := w.begin(); err != nil {
		fail(group, translate(err))
		return
	}
	kept := make([]*update, 0, len(group))
	for _, u := range group {
		if err := w.runOne(u, len(group) > 1); err != nil {
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
	if err := w.conn.do(end); err != nil {
		w.drop()
		fail(kept, unknown(err))
		return
	}
	if len(kept) > 0 {
		w.committed(len(kept))
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

func (w *writer) begin() (err error) {
	if w.conn == nil {
		if w.conn, err = connect(context.Background(), w.db); err != nil {
			return err
		}
		w.opened.Store(true)
	}
	if err = w.conn.do("BEGIN IMMEDIATE"); err != nil {
		w.drop()
	}
	return err
}

// drop closes a connection whose state is in doubt; SQLite rolls back what it had open.
func (w *writer) drop() {
	w.conn.close()
	w.conn = nil
	w.opened.Store(false)
}

// runOne runs the function of u and sets its error. In a group it has a savepoint, so that its failure undoes its own writes
// alone; when it is by itself, the transaction is enough. The error that is returned is one of the whole transaction.
func (w *writer) runOne(u *update, grouped bool) error {
	if grouped {
		if err := w.conn.do("SAVEPOINT one"); err != nil {
			return err
		}
	}
	u.place.Leave()
	now := w.now()
	u.tx = &transaction{conn: w.conn, at: now.UTC().Truncate(time.Microsecond), clock: w.now, deadline: now.Add(patience)}
	u.err = run(u.tx, u.fn)
	if !grouped {
		return nil
	}
	if u.err != nil {
		if err := w.conn.do("ROLLBACK TO one"); err != nil {
			return err
		}
	}
	return w.conn.do("RELEASE one")
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

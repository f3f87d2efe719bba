package postgres

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/jackc/pgx/v5"

	"firemode/internal/store"
	"firemode/internal/store/row"
)

// updateTimeout is how long an Update may take.
const updateTimeout = 30 * time.Second

// transaction is the state of a View or an Update. What its function may do with it is readTx or
// writeTx.
type transaction struct {
	tx          pgx.Tx
	statistics  *statistics // nil in a View
	at          time.Time   // what Now returns
	deadline    time.Time   // of an Update; zero in a View
	afterCommit []func()
	// the first failure of a statement: PostgreSQL has aborted the transaction, or a writing method has failed
	broken error
}

// readTx is what a View gives to its function: the reading ports of the transaction. PostgreSQL
// refuses to write in it, too.
type readTx struct {
	row.Reader
	sql *statements
}

// writeTx is what an Update gives to its function: all ports of the transaction.
type writeTx struct {
	readTx
	row.Writer
}

func newReadTx(t *transaction, exact bool) readTx {
	s := &statements{transaction: t, exact: exact}
	return readTx{row.NewReader(s), s}
}

func newWriteTx(t *transaction) writeTx {
	r := newReadTx(t, false)
	return writeTx{r, row.NewWriter(r.sql)}
}

// View runs fn on a consistent snapshot: the one of its first read.
func (s *Store) View(ctx context.Context, fn func(store.ReadTx) error) error {
	tx, err := s.pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return translate(err)
	}
	defer rollback(ctx, tx)
	return fn(newReadTx(&transaction{tx: tx}, false))
}

// Update runs fn in a transaction and commits it, even if ctx ends.
func (s *Store) Update(ctx context.Context, fn func(store.Tx) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), updateTimeout)
	defer cancel()
	tx, end, err := s.turn(ctx)
	if err != nil {
		return translate(err)
	}
	defer end()
	defer rollback(ctx, tx) // nothing to undo after a commit
	deadline, _ := ctx.Deadline()
	t := &transaction{
		tx: tx, statistics: s.statistics, at: s.now().UTC().Truncate(time.Microsecond),
		deadline: deadline,
	}
	if err := run(t, fn); err != nil {
		return err
	}
	if err := tx.Commit(ctx); err != nil {
		return commitFailed(err)
	}
	for _, f := range t.afterCommit {
		f()
	}
	return nil
}

// rollback waits for a second at most: if the connection does not reply it is closed, which rolls
// back as well.
func rollback(ctx context.Context, tx pgx.Tx) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	tx.Rollback(ctx) //nolint:errcheck // see above
}

// run turns a panic into an error, as every engine does.
func run(t *transaction, fn func(store.Tx) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in an Update: %v\n%s", p, debug.Stack())
		}
	}()
	if err := fn(newWriteTx(t)); err != nil {
		return err
	}
	return t.broken
}

// Snapshot marks the transaction of an engine.
func (readTx) Snapshot() {}

// Exactly returns the transaction with exact reading.
func (t readTx) Exactly() store.ReadTx { return newReadTx(t.sql.transaction, true) }

// Now is the time of the transaction.
func (t writeTx) Now() time.Time { return t.sql.at }

// AfterCommit registers f to be run by the goroutine that called Update.
func (t writeTx) AfterCommit(f func()) { t.sql.afterCommit = append(t.sql.afterCommit, f) }

// bound returns the context for a statement. That of an Update is never cancelled: it runs to its
// end, or to its deadline.
func (t *transaction) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	if t.deadline.IsZero() {
		return ctx, func() {}
	}
	return context.WithDeadline(context.WithoutCancel(ctx), t.deadline)
}

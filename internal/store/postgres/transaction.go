package postgres

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/jackc/pgx/v5"

	"firemode/internal/store"
)

// patience is how long an Update may take.
const patience = 30 * time.Second

// transaction is what View and Update give to their function. A View's function sees it as store.ReadTx, which lacks the
// writers, and its transaction is read only besides.
type transaction struct {
	tx          pgx.Tx
	statistics  *statistics // nil in a View
	at          time.Time   // what Now says
	deadline    time.Time   // of an Update; zero in a View
	afterCommit []func()
	broken      error // the first failure that PostgreSQL, or a writing method, knows no way on from
}

var _ store.Tx = (*transaction)(nil)

// View runs fn on a consistent snapshot: the one of its first read.
func (s *Store) View(ctx context.Context, fn func(store.ReadTx) error) error {
	tx, err := s.pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return translate(err)
	}
	defer rollback(ctx, tx)
	return fn(&transaction{tx: tx})
}

// Update runs fn in a transaction and commits it, whatever becomes of ctx.
func (s *Store) Update(ctx context.Context, fn func(store.Tx) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	tx, end, err := s.turn(ctx)
	if err != nil {
		return translate(err)
	}
	defer end()
	defer rollback(ctx, tx) // nothing to undo after a commit
	deadline, _ := ctx.Deadline()
	t := &transaction{tx: tx, statistics: s.statistics, at: s.now().UTC().Truncate(time.Microsecond), deadline: deadline}
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

// rollback waits only a little: a connection that does not answer is closed, which undoes the transaction as well.
func rollback(ctx context.Context, tx pgx.Tx) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	tx.Rollback(ctx) //nolint:errcheck // see above
}

// run makes an error of a panic, as every engine does.
func run(t *transaction, fn func(store.Tx) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in an Update: %v\n%s", p, debug.Stack())
		}
	}()
	if err := fn(t); err != nil {
		return err
	}
	return t.broken
}

// Snapshot marks the transaction of an engine.
func (t *transaction) Snapshot() {}

// Now is the time of the transaction.
func (t *transaction) Now() time.Time { return t.at }

// AfterCommit registers f to be run by the goroutine that called Update.
func (t *transaction) AfterCommit(f func()) { t.afterCommit = append(t.afterCommit, f) }

// bound returns the context for a statement. An Update's knows no cancelling: it runs to its end, or to its deadline.
func (t *transaction) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	if t.deadline.IsZero() {
		return ctx, func() {}
	}
	return context.WithDeadline(context.WithoutCancel(ctx), t.deadline)
}

// fail remembers the first failure of an Update.
func (t *transaction) fail(err error) error {
	if err != nil && t.broken == nil {
		t.broken = err
	}
	return err
}

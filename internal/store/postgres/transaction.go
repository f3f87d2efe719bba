package postgres

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"firemode"
	"firemode/internal/store"
	"firemode/internal/store/row"
)

// patience is how long an Update may take.
const patience = 30 * time.Second

// transaction is what View and Update give to their function. A View's function sees it as store.ReadTx, which lacks the
// writers, and its transaction is read only besides.
type transaction struct {
	tx          pgx.Tx
	at          time.Time // what Now says
	deadline    time.Time // of an Update; zero in a View
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
	tx, err := s.pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.ReadCommitted})
	if err != nil {
		return translate(err)
	}
	defer rollback(ctx, tx) // nothing to undo after a commit
	t := &transaction{tx: tx, at: s.now().UTC().Truncate(time.Microsecond), deadline: s.now().Add(patience)}
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

// write runs a statement that changes rows and returns how many it changed. taken says what a broken uniqueness means.
func (t *transaction) write(ctx context.Context, taken row.Taken, query string, args ...any) (int64, error) {
	ctx, cancel := t.bound(ctx)
	defer cancel()
	tag, err := t.tx.Exec(ctx, query, args...)
	if err != nil {
		return 0, t.fail(conflict(err, taken))
	}
	return tag.RowsAffected(), nil
}

// exec is write for a statement that can break no uniqueness.
func (t *transaction) exec(ctx context.Context, query string, args ...any) error {
	_, err := t.write(ctx, row.Taken{}, query, args...)
	return err
}

// batchSize is how many statements go to the server in one round trip.
const batchSize = 500

// writeAll runs query once for each of rows, in few round trips, and returns the index of the first that changed nothing, -1 for
// none.
func writeAll[T any](ctx context.Context, t *transaction, taken row.Taken, query string, rows []T, args func(T) ([]any, error)) (idle int, err error) {
	ctx, cancel := t.bound(ctx)
	defer cancel()
	idle = -1
	for start := 0; start < len(rows); start += batchSize {
		part := rows[start:min(start+batchSize, len(rows))]
		batch := &pgx.Batch{}
		for i, r := range part {
			values, err := args(r)
			if err != nil {
				return idle, t.fail(err)
			}
			at := start + i
			batch.Queue(query, values...).Exec(func(tag pgconn.CommandTag) error {
				if tag.RowsAffected() == 0 && idle < 0 {
					idle = at
				}
				return nil
			})
		}
		if err := t.tx.SendBatch(ctx, batch).Close(); err != nil {
			return idle, t.fail(conflict(err, taken))
		}
	}
	return idle, nil
}

// changed makes the error of a write that found no row of the version the caller knows: exists looks for it whatever its version.
func (t *transaction) changed(what string, exists func() error) error {
	if err := exists(); err != nil {
		return t.fail(err)
	}
	return t.fail(firemode.Changed("%s was changed meanwhile; read it again", what))
}

// all runs a query and scans every row.
func all[T any](ctx context.Context, t *transaction, scan func(row.Scanner) (T, error), query string, args ...any) ([]T, error) {
	ctx, cancel := t.bound(ctx)
	defer cancel()
	rows, err := t.tx.Query(ctx, query, args...)
	if err != nil {
		return nil, t.fail(translate(err))
	}
	list, err := pgx.AppendRows([]T(nil), rows, func(r pgx.CollectableRow) (T, error) { return scan(r) })
	return list, t.fail(translate(err))
}

// errNone says that a query found no row; callers say what was not found.
var errNone = errors.New("no row")

// one runs a query for at most one row; errNone when there is none.
func one[T any](ctx context.Context, t *transaction, scan func(row.Scanner) (T, error), query string, args ...any) (T, error) {
	var none T
	list, err := all(ctx, t, scan, query, args...)
	if err != nil {
		return none, err
	}
	if len(list) == 0 {
		return none, errNone
	}
	return list[0], nil
}

// found turns errNone into CodeNotFound for the thing that what names.
func found[T any](v T, err error, what string) (T, error) {
	if errors.Is(err, errNone) {
		return v, firemode.NotFound("there is no such %s", what)
	}
	return v, err
}

// keyed puts the keys to the rows of a page.
func keyed[T any](list []T, err error, key func(T) string) ([]store.Keyed[T], error) {
	if err != nil {
		return nil, err
	}
	page := make([]store.Keyed[T], len(list))
	for i, r := range list {
		page[i] = store.Keyed[T]{Key: key(r), Row: r}
	}
	return page, nil
}

// insertInto returns an INSERT of one row with a parameter for each of columns.
func insertInto(table, columns string) string {
	return "INSERT INTO " + table + " (" + columns + ") VALUES (" + parameters(1, strings.Count(columns, ",")+1) + ")"
}

// parameters returns n parameters from $first on.
func parameters(first, n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = "$" + strconv.Itoa(first+i)
	}
	return strings.Join(list, ", ")
}

func scanInt(r row.Scanner) (n int64, err error) {
	err = r.Scan(&n)
	return n, err
}

func scanString[T ~string](r row.Scanner) (s T, err error) {
	err = r.Scan(&s)
	return s, err
}

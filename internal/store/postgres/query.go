package postgres

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"firemode"
	"firemode/internal/store"
	"firemode/internal/store/row"
)

// write runs a statement that changes rows and returns how many it changed. taken says what a broken uniqueness means.
func (t writeTx) write(ctx context.Context, taken row.Taken, query string, args ...any) (int64, error) {
	ctx, cancel := t.bound(ctx)
	defer cancel()
	tag, err := t.tx.Exec(ctx, query, args...)
	if err != nil {
		return 0, t.fail(conflict(err, taken))
	}
	return tag.RowsAffected(), nil
}

// exec is write for a statement that can break no uniqueness.
func (t writeTx) exec(ctx context.Context, query string, args ...any) error {
	_, err := t.write(ctx, row.Taken{}, query, args...)
	return err
}

// batchSize is how many statements go to the server in one round trip.
const batchSize = 500

// writeAll runs query once for each of rows, in few round trips, and returns the index of the first that changed nothing, -1 for
// none.
func writeAll[T any](ctx context.Context, t writeTx, taken row.Taken, query string, rows []T, args func(T) ([]any, error)) (idle int, err error) {
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
func (t writeTx) changed(what string, exists func() error) error {
	if err := exists(); err != nil {
		return t.fail(err)
	}
	return t.fail(firemode.Changed("%s was changed meanwhile; read it again", what))
}

// all runs a query and scans every row.
func all[T any](ctx context.Context, t readTx, scan func(row.Scanner) (T, error), query string, args ...any) ([]T, error) {
	ctx, cancel := t.bound(ctx)
	defer cancel()
	rows, err := t.tx.Query(ctx, query, args...)
	if err != nil {
		return nil, t.fail(translate(err))
	}
	list, err := pgx.AppendRows([]T(nil), rows, func(r pgx.CollectableRow) (T, error) { return row.Read(ctx, t.exact, scan, r) })
	return list, t.fail(translate(err))
}

// errNone says that a query found no row; callers say what was not found.
var errNone = errors.New("no row")

// one runs a query for at most one row; errNone when there is none.
func one[T any](ctx context.Context, t readTx, scan func(row.Scanner) (T, error), query string, args ...any) (T, error) {
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

func scanBytes(r row.Scanner) (b []byte, err error) {
	err = r.Scan(&b)
	return b, err
}

func scanString[T ~string](r row.Scanner) (s T, err error) {
	err = r.Scan(&s)
	return s, err
}

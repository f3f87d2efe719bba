package sqlite

import (
	"context"
	"encoding/json"
	"errors"

	"firemode"
	"firemode/internal/store"
	"firemode/internal/store/row"
)

// write runs a statement that changes rows and returns how many it changed. taken says what a broken uniqueness means.
func (t writeTx) write(ctx context.Context, taken row.Taken, query string, args ...any) (int64, error) {
	ctx, err := t.ready(ctx, args)
	if err != nil {
		return 0, t.fail(err)
	}
	result, err := t.conn.exec(ctx, query, args...)
	if err != nil {
		return 0, t.fail(conflict(err, taken))
	}
	n, err := result.RowsAffected()
	return n, t.fail(err)
}

// exec is write for a statement that can break no uniqueness.
func (t writeTx) exec(ctx context.Context, query string, args ...any) error {
	_, err := t.write(ctx, row.Taken{}, query, args...)
	return err
}

// changed is write for a statement that changes one row if it still has the version the caller knows. what names the thing;
// exists finds it whatever its version.
func (t writeTx) changed(n int64, err error, what string, exists func() error) error {
	if err != nil || n > 0 {
		return err
	}
	if err := exists(); err != nil {
		return t.fail(err)
	}
	return t.fail(firemode.Changed("%s was changed meanwhile; read it again", what))
}

func (t *transaction) fail(err error) error {
	if err != nil && t.broken == nil {
		t.broken = err
	}
	return err
}

// all runs a query and scans every row. It reads to the end before it returns, so that no statement stays open.
func all[T any](ctx context.Context, t readTx, scan func(row.Scanner) (T, error), query string, args ...any) ([]T, error) {
	ctx, err := t.ready(ctx, args)
	if err != nil {
		return nil, err
	}
	s, err := t.conn.prepare(ctx, query) //nolint:sqlclosecheck // it is kept
	if err != nil {
		return nil, translate(err)
	}
	t.conn.follow.begin(ctx, s, query)
	list, err := rowsOf(ctx, t, s, scan, args)
	t.conn.follow.end(err)
	return list, translate(err)
}

func rowsOf[T any](ctx context.Context, t readTx, s *statement, scan func(row.Scanner) (T, error), args []any) ([]T, error) {
	rows, err := s.QueryContext(ctx, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err says it
	var list []T
	for rows.Next() {
		r, err := row.Read(ctx, t.exact, scan, rows)
		if err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, rows.Err()
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

// keyed cuts nothing: it puts the keys to the rows of a page.
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

// array returns list as the JSON array that json_each takes.
func array[T ~string](list []T) string {
	text, _ := json.Marshal(row.Strings(list)) // strings always can be
	return string(text)
}

package row

import (
	"context"
	"errors"
	"math"
	"strings"

	"firemode"
	"firemode/internal/store"
)

// Engine runs statements in one transaction. A parameter is written ?, or ?1, ?2 and so on
// throughout a statement that uses one of them twice or in another order.
type Engine interface {
	// Query calls fn for every row of a query, and stops at its first error. fn must not use the
	// transaction.
	Query(ctx context.Context, query string, args []any, fn func(Scanner) error) error
	// Write runs a statement that changes rows and returns how many it changed. taken says what a
	// broken uniqueness means. A failure leaves the transaction only to be undone.
	Write(ctx context.Context, taken Taken, query string, args ...any) (int64, error)
	// WriteAll is Write for each of n lists of arguments, in order. It returns the index of the
	// first that changed nothing, -1 for none.
	WriteAll(
		ctx context.Context, taken Taken, query string, n int, args func(i int) ([]any, error),
	) (idle int, err error)
	// Fail records that a writing method has failed, so that the transaction can only be undone,
	// and returns err.
	Fail(err error) error
}

// Reader implements the reading methods whose statements are the same on every engine. An engine
// embeds it and adds the others.
type Reader struct{ sql Engine }

// NewReader returns a Reader in the transaction of sql.
func NewReader(sql Engine) Reader { return Reader{sql} }

// Writer implements the writing methods whose statements are the same on every engine. An engine
// embeds it and adds the others.
type Writer struct {
	sql  Engine
	read Reader
}

// NewWriter returns a Writer in the transaction of sql.
func NewWriter(sql Engine) Writer { return Writer{sql, Reader{sql}} }

// All runs a query and scans every row; nil for none.
func All[T any](
	ctx context.Context, sql Engine, scan func(Scanner) (T, error), query string, args ...any,
) ([]T, error) {
	var list []T
	err := sql.Query(ctx, query, args, func(r Scanner) error {
		v, err := scan(r)
		list = append(list, v)
		return err
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// ErrNone says that a query found no row; callers say what was not found.
var ErrNone = errors.New("no row")

// One runs a query for at most one row; ErrNone when there is none.
func One[T any](ctx context.Context, sql Engine, scan func(Scanner) (T, error), query string, args ...any) (T, error) {
	list, err := All(ctx, sql, scan, query, args...)
	if err == nil && len(list) == 0 {
		err = ErrNone
	}
	if err != nil {
		var none T
		return none, err
	}
	return list[0], nil
}

// Found turns ErrNone into CodeNotFound for the thing that what names.
func Found[T any](v T, err error, what string) (T, error) {
	if errors.Is(err, ErrNone) {
		return v, firemode.NotFound("there is no such %s", what)
	}
	return v, err
}

// Exec is Write for a statement that can break no uniqueness.
func Exec(ctx context.Context, sql Engine, query string, args ...any) error {
	_, err := sql.Write(ctx, Taken{}, query, args...)
	return err
}

// WriteAll runs query once for each of list and returns the index of the first that changed
// nothing, -1 for none.
func WriteAll[T any](
	ctx context.Context, sql Engine, taken Taken, query string, list []T, args func(T) ([]any, error),
) (idle int, err error) {
	return sql.WriteAll(ctx, taken, query, len(list), func(i int) ([]any, error) { return args(list[i]) })
}

// Changed returns the error of a write that needs the version its caller knows and changed n rows:
// nil for a row, else what exists says, or CodeChanged if the thing that what names exists with
// another version.
func Changed(sql Engine, n int64, err error, what string, exists func() error) error {
	if err != nil || n > 0 {
		return err
	}
	if err := exists(); err != nil {
		return sql.Fail(err)
	}
	return sql.Fail(firemode.Changed("%s was changed meanwhile; read it again", what))
}

// InsertInto returns an INSERT of one row with a parameter for each of columns.
func InsertInto(table, columns string) string {
	return "INSERT INTO " + table + " (" + columns + ") VALUES (" + parameters(columns) + ")"
}

// parameters returns a parameter for each of columns.
func parameters(columns string) string {
	return "?" + strings.Repeat(", ?", strings.Count(columns, ","))
}

// Keyed adds the key of each row of a page.
func Keyed[T any](list []T, err error, key func(T) string) ([]store.Keyed[T], error) {
	if err != nil {
		return nil, err
	}
	page := make([]store.Keyed[T], len(list))
	for i, r := range list {
		page[i] = store.Keyed[T]{Key: key(r), Row: r}
	}
	return page, nil
}

// After reads the key of a page of a list in ascending order of (number, id).
func After(p store.Page) (n int64, id string, err error) {
	if p.After == "" {
		return math.MinInt64, "", nil
	}
	return store.ParseKey(p.After)
}

// chunk is how many rows the Each methods read at a time.
const chunk = 500

// EachPage calls fn for every row of a list, and stops at its first error. It reads the list by
// pages of size rows, or of any size if size is 1: page returns the one after last, which is nil at
// first. No statement is open while fn runs, so that it may use the transaction.
func EachPage[T any](size int, page func(last *T) ([]T, error), fn func(T) error) error {
	var last *T
	for {
		list, err := page(last)
		if err != nil {
			return err
		}
		for _, v := range list {
			if err := fn(v); err != nil {
				return err
			}
		}
		if len(list) < size {
			return nil
		}
		last = &list[len(list)-1]
	}
}

// Int scans one column.
func Int(r Scanner) (n int64, err error) {
	err = r.Scan(&n)
	return n, err
}

// Bytes scans one column.
func Bytes(r Scanner) (b []byte, err error) {
	err = r.Scan(&b)
	return b, err
}

// Text scans one column.
func Text[T ~string](r Scanner) (s T, err error) {
	err = r.Scan(&s)
	return s, err
}

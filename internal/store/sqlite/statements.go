package sqlite

import (
	"context"
	"encoding/json"

	"firemode/internal/store/row"
)

// statements runs the statements of a transaction. It implements row.Engine.
type statements struct {
	*transaction
	exact bool // as store.ExactReader says
}

// Query reads to the end before it returns, so that no statement stays open.
func (s *statements) Query(ctx context.Context, query string, args []any, fn func(row.Scanner) error) error {
	ctx, err := s.ready(ctx, args)
	if err != nil {
		return err
	}
	prepared, err := s.conn.prepare(ctx, query) //nolint:sqlclosecheck // it is kept
	if err != nil {
		return translate(err)
	}
	s.conn.follow.begin(ctx, prepared, query)
	err = s.eachRow(ctx, prepared, args, fn)
	s.conn.follow.end(err)
	return translate(err)
}

func (s *statements) eachRow(ctx context.Context, prepared *statement, args []any, fn func(row.Scanner) error) error {
	rows, err := prepared.QueryContext(ctx, args...)
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // rows.Err returns it
	for rows.Next() {
		if err := row.Read(ctx, s.exact, rows, fn); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Write runs a statement that changes rows.
func (s *statements) Write(ctx context.Context, taken row.Taken, query string, args ...any) (int64, error) {
	ctx, err := s.ready(ctx, args)
	if err != nil {
		return 0, s.Fail(err)
	}
	result, err := s.conn.exec(ctx, query, args...)
	if err != nil {
		return 0, s.Fail(conflict(err, taken))
	}
	n, err := result.RowsAffected()
	return n, s.Fail(err)
}

// WriteAll runs a statement that changes rows n times.
func (s *statements) WriteAll(
	ctx context.Context, taken row.Taken, query string, n int, args func(i int) ([]any, error),
) (idle int, err error) {
	idle = -1
	for i := range n {
		values, err := args(i)
		if err != nil {
			return idle, s.Fail(err)
		}
		changed, err := s.Write(ctx, taken, query, values...)
		if err != nil {
			return idle, err
		}
		if changed == 0 && idle < 0 {
			idle = i
		}
	}
	return idle, nil
}

// Fail records the first failure of the transaction.
func (s *statements) Fail(err error) error {
	if err != nil && s.broken == nil {
		s.broken = err
	}
	return err
}

// array returns list as the JSON array that json_each takes.
func array[T ~string](list []T) string {
	text, _ := json.Marshal(row.Strings(list)) // strings always can be
	return string(text)
}

// list returns v as the JSON array that json_each takes.
func list[T any](v []T) string {
	if v == nil {
		return "[]"
	}
	text, _ := json.Marshal(v) // plain structs of strings and numbers always can be
	return string(text)
}

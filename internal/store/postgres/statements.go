package postgres

import (
	"context"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"firemode/internal/store/row"
)

// statements runs the statements of a transaction. It implements row.Engine.
type statements struct {
	*transaction
	exact bool // as store.ExactReader says
}

// Query runs a query and hands every row to fn.
func (s *statements) Query(ctx context.Context, query string, args []any, fn func(row.Scanner) error) error {
	ctx, cancel := s.bound(ctx)
	defer cancel()
	rows, err := s.tx.Query(ctx, numbered(query), args...)
	if err != nil {
		return s.Fail(translate(err))
	}
	defer rows.Close()
	for rows.Next() {
		if err := row.Read(ctx, s.exact, rows, fn); err != nil {
			return s.Fail(translate(err))
		}
	}
	return s.Fail(translate(rows.Err()))
}

// Write runs a statement that changes rows.
func (s *statements) Write(ctx context.Context, taken row.Taken, query string, args ...any) (int64, error) {
	ctx, cancel := s.bound(ctx)
	defer cancel()
	tag, err := s.tx.Exec(ctx, numbered(query), args...)
	if err != nil {
		return 0, s.Fail(conflict(err, taken))
	}
	return tag.RowsAffected(), nil
}

// roundTrip is how many statements go to the server in one round trip.
const roundTrip = 500

// WriteAll runs a statement that changes rows n times, in few round trips.
func (s *statements) WriteAll(
	ctx context.Context, taken row.Taken, query string, n int, args func(i int) ([]any, error),
) (idle int, err error) {
	ctx, cancel := s.bound(ctx)
	defer cancel()
	query, idle = numbered(query), -1
	for start := 0; start < n; start += roundTrip {
		batch := &pgx.Batch{}
		for i := start; i < min(start+roundTrip, n); i++ {
			values, err := args(i)
			if err != nil {
				return idle, s.Fail(err)
			}
			batch.Queue(query, values...).Exec(func(tag pgconn.CommandTag) error {
				if tag.RowsAffected() == 0 && idle < 0 {
					idle = i
				}
				return nil
			})
		}
		if err := s.tx.SendBatch(ctx, batch).Close(); err != nil {
			return idle, s.Fail(conflict(err, taken))
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

// numbered returns query with PostgreSQL's parameters: ?2 becomes $2, and the n-th ? without a
// number $n.
func numbered(query string) string {
	if !strings.Contains(query, "?") {
		return query
	}
	var b strings.Builder
	b.Grow(len(query) + 16)
	n := 0
	for i := range len(query) {
		if query[i] != '?' {
			b.WriteByte(query[i])
			continue
		}
		b.WriteByte('$')
		if i+1 == len(query) || query[i+1] < '0' || query[i+1] > '9' {
			n++
			b.WriteString(strconv.Itoa(n))
		}
	}
	return b.String()
}

// lookUp returns the query for columns of those rows of a session, $1 and $2, whose key is in the
// list $3, each once. LATERAL and OFFSET 0 keep the planner from joining the whole of a session
// instead; see ADR 16.
func lookUp(table, columns, key string) string {
	return "SELECT " + columns + " FROM (SELECT DISTINCT unnest($3::text[]) AS asked) q CROSS " +
		"JOIN LATERAL (SELECT * FROM " + table +
		" WHERE org = $1 AND session_id = $2 AND " + key + " = q.asked OFFSET 0) r"
}

// columns splits a list into two columns for unnest.
func columns[T, A, B any](list []T, a func(T) A, b func(T) B) ([]A, []B) {
	as, bs := make([]A, len(list)), make([]B, len(list))
	for i, v := range list {
		as[i], bs[i] = a(v), b(v)
	}
	return as, bs
}

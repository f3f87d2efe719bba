package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
)

// maxStatements is how many prepared statements a connection keeps: more than there are texts of
// statements.
const maxStatements = 256

// conn is a connection with its prepared statements, so that a statement costs a bind and a step.
// It is not safe for concurrent use.
type conn struct {
	raw    *sql.Conn
	stmts  map[string]*statement // by SQL text
	follow following
}

// statement is a prepared statement with the name and the attributes of its spans.
type statement struct {
	*sql.Stmt
	name       string
	attributes []attribute.KeyValue
}

func connect(ctx context.Context, db *sql.DB, tracer trace.Tracer) (*conn, error) {
	raw, err := db.Conn(ctx)
	if err != nil {
		return nil, translate(err)
	}
	return &conn{raw: raw, stmts: make(map[string]*statement), follow: following{tracer: tracer}}, nil
}

func (c *conn) prepare(ctx context.Context, query string) (*statement, error) {
	if s, ok := c.stmts[query]; ok {
		return s, nil
	}
	if len(c.stmts) >= maxStatements {
		c.forget()
	}
	prepared, err := c.raw.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	s := &statement{Stmt: prepared}
	s.describe(query)
	c.stmts[query] = s
	return s, nil
}

func (c *conn) exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	s, err := c.prepare(ctx, query) //nolint:sqlclosecheck // it is kept
	if err != nil {
		return nil, err
	}
	c.follow.begin(ctx, s, query)
	result, err := s.ExecContext(ctx, args...)
	c.follow.end(err)
	return result, err
}

// do runs a statement without parameters and results to its end. ctx must not be cancellable.
func (c *conn) do(ctx context.Context, query string) error {
	_, err := c.exec(ctx, query)
	c.follow.flush()
	return err
}

func (c *conn) forget() {
	for _, s := range c.stmts {
		s.Close() //nolint:errcheck // a statement that cannot be finalized says what its last step said
	}
	clear(c.stmts)
}

// close closes the connection for good: it may be in a transaction.
func (c *conn) close() {
	c.follow.flush()
	c.forget()
	c.raw.Raw(func(any) error { return driver.ErrBadConn }) //nolint:errcheck // makes database/sql drop it
	c.raw.Close()                                           //nolint:errcheck // nothing is left to lose
}

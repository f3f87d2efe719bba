package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
)

// statements bounds how many prepared statements a connection keeps: more than there are texts in this package.
const statements = 256

// conn is one connection with its prepared statements, so that a statement costs a bind and a step. One goroutine uses it at a time.
type conn struct {
	raw   *sql.Conn
	stmts map[string]*sql.Stmt // by SQL text
}

func connect(ctx context.Context, db *sql.DB) (*conn, error) {
	raw, err := db.Conn(ctx)
	if err != nil {
		return nil, translate(err)
	}
	return &conn{raw: raw, stmts: make(map[string]*sql.Stmt)}, nil
}

func (c *conn) prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	if s, ok := c.stmts[query]; ok {
		return s, nil
	}
	if len(c.stmts) >= statements {
		c.forget()
	}
	s, err := c.raw.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	c.stmts[query] = s
	return s, nil
}

func (c *conn) exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	s, err := c.prepare(ctx, query) //nolint:sqlclosecheck // it is kept
	if err != nil {
		return nil, err
	}
	return s.ExecContext(ctx, args...)
}

// do runs a statement that neither takes nor gives anything, to its end.
func (c *conn) do(query string) error {
	_, err := c.exec(context.Background(), query)
	return err
}

func (c *conn) forget() {
	for _, s := range c.stmts {
		s.Close() //nolint:errcheck // a statement that cannot be finalized says what its last step said
	}
	clear(c.stmts)
}

// close gives the connection back to be closed, not to be used again: it may be in a transaction.
func (c *conn) close() {
	c.forget()
	c.raw.Raw(func(any) error { return driver.ErrBadConn }) //nolint:errcheck // this is how database/sql is told to drop it
	c.raw.Close()                                           //nolint:errcheck // nothing is left to lose
}

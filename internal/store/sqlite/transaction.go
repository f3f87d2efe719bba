package sqlite

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"firemode"
	"firemode/internal/store"
	"firemode/internal/store/row"
)

// transaction is the state of a View or an Update. What its function may do with it is readTx or
// writeTx.
type transaction struct {
	conn        *conn
	at          time.Time        // what Now returns
	clock       func() time.Time // nil in a View
	deadline    time.Time        // of an Update
	afterCommit []func()
	topics      []store.Topic // of Watch that it changes
	broken      error         // the first failure of a writing method: the transaction can only be undone
	ended       bool
}

// readTx is what a View gives to its function: the reading ports of the transaction. Its connection
// refuses to write, too.
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

// Snapshot marks the transaction of an engine.
func (readTx) Snapshot() {}

// Exactly returns the transaction with exact reading.
func (t readTx) Exactly() store.ReadTx { return newReadTx(t.sql.transaction, true) }

// Now is the time of the transaction.
func (t writeTx) Now() time.Time { return t.sql.at }

// AfterCommit registers f to be run by the goroutine that called Update.
func (t writeTx) AfterCommit(f func()) { t.sql.afterCommit = append(t.sql.afterCommit, f) }

// notify reports topic to the watchers after the commit.
func (t writeTx) notify(topic store.Topic) {
	if !slices.Contains(t.sql.topics, topic) {
		t.sql.topics = append(t.sql.topics, topic)
	}
}

func (t *transaction) end() { t.ended = true }

// ready returns the context for a statement. That of an Update is never cancelled: it runs to its
// end, or to its deadline, which is checked here because a context with a deadline costs a
// goroutine per statement.
func (t *transaction) ready(ctx context.Context, args []any) (context.Context, error) {
	if t.ended {
		return ctx, errors.New("sqlite: a transaction was used after its end")
	}
	if err := checkText(args); err != nil {
		return ctx, err
	}
	if t.clock == nil {
		return ctx, nil
	}
	if t.clock().After(t.deadline) {
		return ctx, firemode.Unavailable(time.Second, "the change took too long and was undone; retry")
	}
	return context.WithoutCancel(ctx), nil
}

// checkText refuses what PostgreSQL cannot hold, so that the engines agree.
func checkText(args []any) error {
	for _, a := range args {
		s, ok := a.(string)
		if !ok {
			if v := reflect.ValueOf(a); v.Kind() == reflect.String {
				s = v.String()
			}
		}
		if strings.IndexByte(s, 0) >= 0 || !utf8.ValidString(s) {
			return firemode.Invalid("text must be UTF-8 without the character NUL")
		}
	}
	return nil
}

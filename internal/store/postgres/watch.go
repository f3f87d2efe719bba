package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"firemode/internal/store"
	"firemode/internal/store/row"
)

const (
	// channel is the channel of NOTIFY. PostgreSQL keeps the channels of databases apart.
	channel = "firemode"
	// watchName is what the connection of Watch adds to its application_name.
	watchName = " watch"
	// pingAfter is how long the connection of Watch may be silent before it is pinged, and
	// pingTimeout how long the reply may take: a network that drops all packets closes no
	// connection.
	pingAfter   = 30 * time.Second
	pingTimeout = 5 * time.Second
)

// watching returns the configuration of the connection of Watch. It is not one of the pool, which
// may be exhausted when Watch is needed most, and its waits are not traced as statements.
func watching(c *pgx.ConnConfig) *pgx.ConnConfig {
	own := c.Copy()
	own.Tracer = nil
	own.RuntimeParams["application_name"] += watchName
	return own
}

// Watch listens for the notifications that the Updates of all nodes send with their commits.
func (s *Store) Watch(ctx context.Context, changed func(store.Topic)) error {
	conn, err := pgx.ConnectConfig(ctx, s.watching)
	if err == nil {
		defer closeConn(ctx, conn)
		err = listen(ctx, conn, changed)
	}
	if ctx.Err() != nil {
		return nil
	}
	return translate(err)
}

// listen returns when the connection is lost.
func listen(ctx context.Context, conn *pgx.Conn, changed func(store.Topic)) error {
	if _, err := conn.Exec(ctx, "LISTEN "+channel); err != nil {
		return err
	}
	for _, topic := range store.Topics() {
		changed(topic)
	}
	for {
		topic, err := receive(ctx, conn)
		if err != nil {
			return err
		}
		if topic != "" {
			changed(topic)
		}
	}
}

// receive waits for one notification. After a long silence it returns "" if the connection is
// alive.
func receive(ctx context.Context, conn *pgx.Conn) (store.Topic, error) {
	quiet, cancel := context.WithTimeout(ctx, pingAfter)
	defer cancel()
	n, err := conn.WaitForNotification(quiet)
	switch {
	case err == nil:
		return store.Topic(n.Payload), nil
	case ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded):
		return "", err
	}
	ping, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	return "", conn.Ping(ping)
}

func closeConn(ctx context.Context, conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	conn.Close(ctx) //nolint:errcheck // nothing is left to lose
}

// notify reports topic to the watchers of all nodes, with the commit.
func (t writeTx) notify(ctx context.Context, topic store.Topic) error {
	return row.Exec(ctx, t.sql, "SELECT pg_notify($1, $2)", channel, topic)
}

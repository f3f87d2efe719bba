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
	// channel is on which nodes tell each other what has changed. PostgreSQL keeps channels of databases apart.
	channel = "firemode"
	// watchName is what the watching connection adds to its application_name.
	watchName = " watch"
	// silence is after how long without a word the watching connection is asked whether it is alive, and answer how long it may take:
	// a network that swallows everything closes no connection.
	silence = 30 * time.Second
	answer  = 5 * time.Second
)

// watching is how the connection of Watch is made: it is none of the pool, which may be used up when it is needed most, and what it
// waits for is no statement to trace.
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
		defer hangUp(ctx, conn)
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
		topic, err := hear(ctx, conn)
		if err != nil {
			return err
		}
		if topic != "" {
			changed(topic)
		}
	}
}

// hear waits for one notification; after a long silence it returns "" if the connection is alive.
func hear(ctx context.Context, conn *pgx.Conn) (store.Topic, error) {
	quiet, cancel := context.WithTimeout(ctx, silence)
	defer cancel()
	n, err := conn.WaitForNotification(quiet)
	switch {
	case err == nil:
		return store.Topic(n.Payload), nil
	case ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded):
		return "", err
	}
	ping, cancel := context.WithTimeout(ctx, answer)
	defer cancel()
	return "", conn.Ping(ping)
}

func hangUp(ctx context.Context, conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	conn.Close(ctx) //nolint:errcheck // nothing is left to lose
}

// notify reports topic to the watchers of all nodes, with the commit.
func (t writeTx) notify(ctx context.Context, topic store.Topic) error {
	return row.Exec(ctx, t.sql, "SELECT pg_notify($1, $2)", channel, topic)
}

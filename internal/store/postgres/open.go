// Package postgres keeps FireMode's data in PostgreSQL, for any number of nodes.
//
// It keeps the promises of package store. Durable means what PostgreSQL means by
// synchronous_commit=on. Updates run read committed and rely on row locks and constraints, so their
// functions never run twice; what must not change between reading and writing is locked by a Lock
// method or has a version. Locks are taken in order of id, building and session before log. Views
// run repeatable read. Text is compared by its bytes in every locale.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.opentelemetry.io/otel/trace"

	"firemode/internal/groupcommit"
	"firemode/internal/store"
)

// connections is the most connections that a node opens, unless the URL sets pool_max_conns.
const connections = 16

// Config says which database to use.
type Config struct {
	URL string           // postgres://user:password@host:port/database?…
	Now func() time.Time // the clock of transactions; time.Now if nil
	// Traces takes the spans of statements; nil for none.
	Traces trace.TracerProvider
}

// Store is a PostgreSQL database. It implements store.Database.
type Store struct {
	pool       *pgxpool.Pool
	now        func() time.Time
	statistics *statistics
	writers    chan struct{}          // holds one for each Update that has, or is about to have, a connection
	waiting    *groupcommit.WaitQueue // of Updates without a connection
	watching   *pgx.ConnConfig
}

var _ store.Database = (*Store)(nil)

// Open connects to the database. It does not migrate: call Migrate or CheckSchema next.
func Open(ctx context.Context, c Config) (*Store, error) {
	if c.URL == "" {
		return nil, errors.New("postgres: the URL of the database is missing")
	}
	config, err := pgxpool.ParseConfig(c.URL)
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", err) // pgx hides the password
	}
	if !strings.Contains(c.URL, "pool_max_conns") {
		config.MaxConns = connections
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Traces != nil {
		config.ConnConfig.Tracer = newTracer(c.Traces, config.ConnConfig)
	}
	parameters := config.ConnConfig.RuntimeParams
	parameters["synchronous_commit"] = "on"
	parameters["timezone"] = "UTC"
	maps.Copy(parameters, byIndex())
	if parameters["application_name"] == "" {
		parameters["application_name"] = "firemode"
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	if err := checkEncoding(ctx, pool); err != nil {
		pool.Close()
		return nil, err
	}
	return &Store{
		pool: pool, now: c.Now, statistics: newStatistics(pool),
		writers: make(chan struct{}, writersOf(config.MaxConns)), waiting: groupcommit.NewWaitQueue(c.Now),
		watching: watching(config.ConnConfig),
	}, nil
}

// byIndex makes the planner plan each statement once and use indexes. Every statement has an index
// that finds its rows, and must cost what it finds. With statistics, the planner may scan a young
// or skewed table instead, for hours.
func byIndex() map[string]string {
	return map[string]string{
		"plan_cache_mode": "force_generic_plan",
		"enable_seqscan":  "off", "enable_bitmapscan": "off", "enable_hashjoin": "off", "enable_mergejoin": "off",
		"jit": "off", // it depends on estimated costs, which are wrong where a scan cannot be avoided
	}
}

func checkEncoding(ctx context.Context, pool *pgxpool.Pool) error {
	var encoding string
	if err := pool.QueryRow(ctx, "SHOW server_encoding").Scan(&encoding); err != nil {
		return fmt.Errorf("postgres: connect: %w", translate(err))
	}
	if encoding != "UTF8" {
		return fmt.Errorf("postgres: the database is encoded in %s; create it with ENCODING 'UTF8'", encoding)
	}
	return nil
}

// Ping makes a round trip to the database.
func (s *Store) Ping(ctx context.Context) error { return translate(s.pool.Ping(ctx)) }

// Close waits for the transactions that run, then disconnects.
func (s *Store) Close() error {
	s.statistics.stop()
	s.pool.Close()
	return nil
}

package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/trace"

	"firemode/internal/assets"
	"firemode/internal/bundles"
	"firemode/internal/catalogue"
	"firemode/internal/identity"
	"firemode/internal/keys"
	"firemode/internal/record/ledger"
	"firemode/internal/sessions"
	"firemode/internal/store"
	"firemode/internal/store/postgres"
	"firemode/internal/store/sqlite"
	"firemode/internal/supervisor"
	"firemode/internal/telemetry"
)

// services are what FireMode does, ready to be asked, on one database.
type services struct {
	store     store.Store
	keys      *keys.Keys
	auth      *identity.Service
	catalogue *catalogue.Service
	buildings *assets.Service
	sessions  *sessions.Service
	bundles   *bundles.Service

	storage Storage
	hooks   hooks
	group   *supervisor.Group // of all that runs beside the callers
	failed  error             // of starting a part of it
}

// outside is what services are given of the world outside the database.
type outside struct {
	now     func() time.Time
	log     *slog.Logger
	metrics *telemetry.Metrics
	traces  trace.TracerProvider // nil for none
	hooks   hooks
}

// openServices opens the database, brings it to the schema of this binary and builds every service on it.
func openServices(ctx context.Context, c Storage, o outside) (_ *services, err error) {
	s := &services{storage: c, hooks: o.hooks}
	if s.group, err = o.supervise(); err != nil {
		return nil, err
	}
	stale := func(err error) { o.log.Warn("could not renew the rules", "error", err) }
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if s.store, err = s.openStore(ctx, c, o); err != nil {
		return nil, err
	}
	if err = s.store.Migrate(ctx); err != nil {
		return nil, err
	}
	if err = s.store.CheckSchema(ctx); err != nil {
		return nil, err
	}
	if s.keys, err = keys.Open(c.KeysDir()); err != nil {
		return nil, err
	}
	if s.auth, err = identity.New(s.store, identity.Config{Now: o.now, NewID: newID, Keys: s.keys}); err != nil {
		return nil, err
	}
	if s.catalogue, err = catalogue.New(s.store, catalogue.Config{
		NewID: newID, OnError: stale, Now: o.now, Committed: o.metrics.GroupCommitted, Supervise: s.worker(serviceClassifications), Traces: o.traces,
	}); err != nil {
		return nil, err
	}
	if s.buildings, err = assets.New(s.store, assets.Config{NewID: newID}); err != nil {
		return nil, err
	}
	signer, err := ledger.NewSigner(s.keys.History())
	if err != nil {
		return nil, err
	}
	if s.sessions, err = sessions.New(s.store, sessions.Config{
		Now: o.now, NewID: newID, Rand: rand.Reader, Rules: s.catalogue, Signer: signer, Meter: o.metrics,
		Supervise: s.worker(serviceResults), Traces: o.traces,
	}); err != nil {
		return nil, err
	}
	if s.bundles, err = bundles.New(s.store, bundles.Config{Rules: s.catalogue, Now: o.now, Traces: o.traces, Supervise: s.worker(serviceBundles)}); err != nil {
		return nil, err
	}
	o.metrics.Watch(s.sources(c.Data))
	return s, s.failed
}

// prepare does what must be done before requests come: the shared rules are there, and revoked tokens are known.
func (s *services) prepare(ctx context.Context) error {
	if err := s.catalogue.Seed(ctx); err != nil {
		return err
	}
	return s.auth.Load(ctx)
}

// with runs a command's work on the services. A server may be running on the same data.
func (p *program) with(ctx context.Context, work func(*services) error) (err error) {
	metrics, err := telemetry.NewMetrics(telemetry.Config{})
	if err != nil {
		return err
	}
	s, err := openServices(ctx, p.storage, outside{now: p.now, log: slog.New(slog.DiscardHandler), metrics: metrics})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	return work(s)
}

// close waits for what the services have promised and closes the database. Of what does not end, the database is left as if the power
// had gone.
func (s *services) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), afterRequests)
	defer cancel()
	err := s.group.Stop(ctx)
	if running := (*supervisor.RunningError)(nil); errors.As(err, &running) {
		return err
	}
	if s.bundles != nil {
		s.bundles.Close()
	}
	if s.sessions != nil {
		s.sessions.Close()
	}
	if s.catalogue != nil {
		s.catalogue.Close()
	}
	if s.store != nil {
		err = errors.Join(err, s.store.Close())
	}
	return err
}

// openStore opens the database under supervision. Commits that several transactions share are told of: they are SQLite's.
func (s *services) openStore(ctx context.Context, c Storage, o outside) (store.Store, error) {
	committed := func(updates int) { o.metrics.GroupCommitted("writer", updates) }
	db, err := openStore(ctx, c, sqlite.Config{Now: o.now, Committed: committed, Supervise: s.worker(serviceWriter), Traces: o.traces})
	if err == nil && s.hooks.store != nil {
		db = s.hooks.store(db)
	}
	return db, err
}

// openStore opens PostgreSQL if there is a URL, else the SQLite file of the data folder, which it makes. file says how that one works; its Path
// is set here.
func openStore(ctx context.Context, c Storage, file sqlite.Config) (store.Store, error) {
	if c.DBURL != "" {
		return opened(postgres.Open(ctx, postgres.Config{URL: c.DBURL, Now: file.Now, Traces: file.Traces}))
	}
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	file.Path = filepath.Join(c.Data, databaseFile)
	return opened(sqlite.Open(ctx, file))
}

// opened is the store without the error, or nil with it: a nil pointer in an interface would not be nil.
func opened[S store.Store](s S, err error) (store.Store, error) {
	if err != nil {
		return nil, err
	}
	return s, nil
}

// newID mints a UUIDv7.
func newID() string { return uuid.Must(uuid.NewV7()).String() }

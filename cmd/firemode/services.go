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

	"firemode/internal/auth"
	"firemode/internal/buildings"
	"firemode/internal/bundle"
	"firemode/internal/catalogue"
	"firemode/internal/keys"
	"firemode/internal/ledger"
	"firemode/internal/sessions"
	"firemode/internal/store"
	"firemode/internal/store/postgres"
	"firemode/internal/store/sqlite"
	"firemode/internal/telemetry"
)

// services are what FireMode does, ready to be asked, on one database.
type services struct {
	store     store.Store
	keys      *keys.Keys
	auth      *auth.Service
	catalogue *catalogue.Service
	buildings *buildings.Service
	sessions  *sessions.Service
	bundles   *bundle.Service
}

// outside is what services are given of the world outside the database.
type outside struct {
	now     func() time.Time
	log     *slog.Logger
	metrics *telemetry.Metrics
}

// openServices opens the database, brings it to the schema of this binary and builds every service on it.
func openServices(ctx context.Context, c Storage, o outside) (_ *services, err error) {
	s := &services{}
	stale := func(err error) { o.log.Warn("could not renew the rules", "error", err) }
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	committed := func(updates int) { o.metrics.GroupCommitted("writer", updates) }
	if s.store, err = openStore(ctx, c, o.now, committed); err != nil {
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
	if s.auth, err = auth.New(s.store, auth.Config{Now: o.now, NewID: newID, Keys: s.keys}); err != nil {
		return nil, err
	}
	if s.catalogue, err = catalogue.New(s.store, catalogue.Config{
		NewID: newID, OnError: stale, Now: o.now, Committed: o.metrics.GroupCommitted,
	}); err != nil {
		return nil, err
	}
	if s.buildings, err = buildings.New(s.store, buildings.Config{NewID: newID}); err != nil {
		return nil, err
	}
	signer, err := ledger.NewSigner(s.keys.History())
	if err != nil {
		return nil, err
	}
	if s.sessions, err = sessions.New(s.store, sessions.Config{
		Now: o.now, NewID: newID, Rand: rand.Reader, Rules: s.catalogue, Signer: signer, Meter: o.metrics,
	}); err != nil {
		return nil, err
	}
	if s.bundles, err = bundle.New(s.store, bundle.Config{Rules: s.catalogue, Now: o.now}); err != nil {
		return nil, err
	}
	o.metrics.Watch(s.sources(c.Data))
	return s, nil
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

// close waits for what the services have promised and closes the database.
func (s *services) close() error {
	if s.sessions != nil {
		s.sessions.Close()
	}
	if s.catalogue != nil {
		s.catalogue.Close()
	}
	if s.store != nil {
		return s.store.Close()
	}
	return nil
}

// openStore opens PostgreSQL if there is a URL, else the SQLite file of the data folder, which it makes. committed is told of commits
// that several transactions share, which are SQLite's; nil for nobody.
func openStore(ctx context.Context, c Storage, now func() time.Time, committed func(updates int)) (store.Store, error) {
	if c.DBURL != "" {
		return opened(postgres.Open(ctx, postgres.Config{URL: c.DBURL, Now: now}))
	}
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	return opened(sqlite.Open(ctx, sqlite.Config{Path: filepath.Join(c.Data, databaseFile), Now: now, Committed: committed}))
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

package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/trace"

	"firemode/internal/assets"
	"firemode/internal/bundles"
	"firemode/internal/catalogue"
	"firemode/internal/defects"
	"firemode/internal/httpapi"
	"firemode/internal/identity"
	"firemode/internal/keys"
	"firemode/internal/record/ledger"
	"firemode/internal/record/merge"
	"firemode/internal/record/view"
	"firemode/internal/seed"
	"firemode/internal/store"
	"firemode/internal/store/sqlite"
	"firemode/internal/supervisor"
	"firemode/internal/telemetry"
	"firemode/internal/visits"
)

// Services are the services of one installation, on one open database. They are safe for concurrent
// use.
type Services struct {
	Store     store.Database
	Keys      *keys.Keys
	Identity  *identity.Service
	Catalogue *catalogue.Service
	Assets    *assets.Service
	Merge     *merge.Service
	Views     *view.Service
	Visits    *visits.Service
	Defects   *defects.Service
	Bundles   *bundles.Service

	storage Storage
	hooks   hooks
	group   *supervisor.Group // of everything that runs beside the callers
	failed  error             // of the first worker that could not be started
}

// Deps are what services need from outside the database.
type Deps struct {
	Now     func() time.Time
	Logger  *slog.Logger
	Metrics *telemetry.Metrics
	Traces  trace.TracerProvider // nil for no traces

	hooks hooks
}

// Open opens the database, migrates it to the schema of this binary and builds every service on it.
// A server may be running on the same data. The caller must call Close.
func Open(ctx context.Context, c Storage, d Deps) (_ *Services, err error) {
	s := &Services{storage: c, hooks: d.hooks}
	if s.group, err = d.newGroup(); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if s.Store, err = s.openStore(ctx, d); err != nil {
		return nil, err
	}
	if err = s.Store.Migrate(ctx); err != nil {
		return nil, err
	}
	if err = s.Store.CheckSchema(ctx); err != nil {
		return nil, err
	}
	if s.Keys, err = keys.Open(c.KeysDir()); err != nil {
		return nil, err
	}
	if err = s.build(d); err != nil {
		return nil, err
	}
	d.Metrics.Watch(s.sources(c.Data))
	return s, s.failed
}

// build makes the services on the open database.
func (s *Services) build(d Deps) (err error) {
	s.Identity, err = identity.New(s.Store, identity.Config{Now: d.Now, NewID: newID, Keys: s.Keys})
	if err != nil {
		return err
	}
	s.Catalogue, err = catalogue.New(s.Store, catalogue.Config{
		Now: d.Now, NewID: newID,
		OnError:   func(err error) { d.Logger.Warn("could not renew the rules", "error", err) },
		Committed: d.Metrics.GroupCommitted, Supervise: s.worker(serviceClassifications), Traces: d.Traces,
	})
	if err != nil {
		return err
	}
	s.Assets, err = assets.New(s.Store, assets.Config{NewID: newID})
	if err != nil {
		return err
	}
	signer, err := ledger.NewSigner(s.Keys.History())
	if err != nil {
		return err
	}
	s.Merge, err = merge.New(s.Store, merge.Config{
		Now: d.Now, Rules: s.Catalogue, Signer: signer, Meter: d.Metrics,
		Consequences: []merge.Consequences{defects.Consequences{NewID: newID}},
		Supervise:    s.worker(serviceResults), Traces: d.Traces,
	})
	if err != nil {
		return err
	}
	s.Views = view.New(s.Store)
	s.Defects = defects.New(s.Store, newID)
	s.Visits, err = visits.New(s.Store, visits.Config{NewID: newID, Rand: rand.Reader, Rules: s.Catalogue, Merge: s.Merge})
	if err != nil {
		return err
	}
	s.Bundles, err = bundles.New(s.Store, bundles.Config{
		Views: s.Views, Rules: s.Catalogue, Encode: httpapi.NewBundleEncoder(s.Keys.Cursor()), Now: d.Now,
		Traces: d.Traces, Supervise: s.worker(serviceBundles),
	})
	return err
}

// Prepare loads what requests rely on: it stores the shared rules that are missing, and reads the
// revoked tokens into memory.
func (s *Services) Prepare(ctx context.Context) error {
	if err := s.Catalogue.Seed(ctx); err != nil {
		return err
	}
	return s.Identity.Load(ctx)
}

// FillDemo puts the demo data into an empty database; a database with other data stays as it is.
// progress gets a line for each step.
func (s *Services) FillDemo(ctx context.Context, progress func(line string)) error {
	to := seed.Services{Auth: s.Identity, Catalogue: s.Catalogue, Buildings: s.Assets, Visits: s.Visits, Merge: s.Merge}
	if err := seed.Demo(ctx, to, progress); err != nil {
		return fmt.Errorf("demo data: %w", err)
	}
	return nil
}

// Use opens the services, runs work on them and closes them. It is for commands: nothing is logged,
// and nothing is served.
func Use(ctx context.Context, c Storage, now func() time.Time, work func(*Services) error) (err error) {
	metrics, err := telemetry.NewMetrics(telemetry.Config{})
	if err != nil {
		return err
	}
	s, err := Open(ctx, c, Deps{Now: now, Logger: slog.New(slog.DiscardHandler), Metrics: metrics})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return work(s)
}

// Close stops the workers, which first finish what they have accepted, and closes the database. If
// a worker does not end in time, Close names it and leaves the database open, as a power cut would.
func (s *Services) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), stopServicesTimeout)
	defer cancel()
	err := s.group.Stop(ctx)
	if running := (*supervisor.RunningError)(nil); errors.As(err, &running) {
		return err
	}
	if s.Bundles != nil {
		s.Bundles.Close()
	}
	if s.Merge != nil {
		s.Merge.Close()
	}
	if s.Catalogue != nil {
		s.Catalogue.Close()
	}
	if s.Store != nil {
		err = errors.Join(err, s.Store.Close())
	}
	return err
}

// openStore opens the database with its writer under supervision. Only SQLite shares commits
// between transactions, and reports them.
func (s *Services) openStore(ctx context.Context, d Deps) (store.Database, error) {
	committed := func(updates int) { d.Metrics.GroupCommitted("writer", updates) }
	db, err := openStore(ctx, s.storage, sqlite.Config{
		Now: d.Now, Committed: committed, Supervise: s.worker(serviceWriter), Traces: d.Traces,
	})
	if err == nil && s.hooks.store != nil {
		db = s.hooks.store(db)
	}
	return db, err
}

// newID returns a new UUIDv7.
func newID() string { return uuid.Must(uuid.NewV7()).String() }

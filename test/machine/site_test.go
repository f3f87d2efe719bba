package machine

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"
	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/note"

	"firemode/internal/assets"
	"firemode/internal/bundles"
	"firemode/internal/catalogue"
	"firemode/internal/defects"
	"firemode/internal/httpapi"
	"firemode/internal/httpkit"
	"firemode/internal/identity"
	"firemode/internal/keys"
	"firemode/internal/record/ledger"
	"firemode/internal/record/merge"
	"firemode/internal/record/verify"
	"firemode/internal/record/view"
	"firemode/internal/store"
	"firemode/internal/store/sqlite"
	"firemode/internal/visits"
)

// clock is the clock of the server. Each call of now advances it by a millisecond.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time { return c.forward(time.Millisecond) }

func (c *clock) forward(d time.Duration) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
	return c.at
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// site is an installation: a database, keys and, between start and stop, a server.
type site struct {
	engine   engine
	now      func() time.Time
	flaw     func(store.Tx) store.Tx // wraps the transactions of a broken server, nil for a sound one
	front    func(http.Handler) http.Handler
	unmarked bool // a broken operator: no new epoch after a restore
	dir      string
	keys     *keys.Keys
	signer   note.Signer
	verifier note.Verifier
	empty    []byte // a migrated SQLite database without rows

	store    store.Database
	services httpapi.Services
	handler  http.Handler
}

func newSite(ctx context.Context, t testing.TB, e engine, now func() time.Time, change ...func(*site)) *site {
	t.Helper()
	s := &site{engine: e, now: now, dir: t.TempDir()}
	for _, f := range change {
		f(s)
	}
	var err error
	s.keys, err = keys.Open(filepath.Join(s.dir, "keys"))
	must(t, err)
	s.signer, err = ledger.NewSigner(s.keys.History())
	must(t, err)
	s.verifier, err = note.NewVerifier(ledger.PublicKey(s.keys.History()))
	must(t, err)
	must(t, s.makeEmpty(ctx))
	must(t, s.migrate(ctx))
	must(t, s.start(ctx))
	t.Cleanup(func() { must(t, s.stop()) })
	must(t, s.services.Catalogue.Seed(ctx))
	return s
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// makeEmpty migrates an empty database once; each verify copies it.
func (s *site) makeEmpty(ctx context.Context) error {
	path := filepath.Join(s.dir, "empty.db")
	db, err := sqlite.Open(ctx, sqlite.Config{Path: path, Scratch: true})
	if err != nil {
		return err
	}
	if err := errors.Join(db.Migrate(ctx), db.Close()); err != nil {
		return err
	}
	s.empty, err = os.ReadFile(path)
	return err
}

func (s *site) migrate(ctx context.Context) error {
	db, err := s.engine.open(ctx, s.now)
	if err != nil {
		return err
	}
	return errors.Join(db.Migrate(ctx), db.Close())
}

// start opens the database and starts the server, as a process does.
func (s *site) start(ctx context.Context) (err error) {
	if s.store, err = s.engine.open(ctx, s.now); err != nil {
		return err
	}
	if err := s.store.CheckSchema(ctx); err != nil {
		return err
	}
	served := s.store
	if s.flaw != nil {
		served = flawed{s.store, s.flaw}
	}
	if s.services, err = s.servicesOn(served); err != nil {
		return err
	}
	if err := s.services.Auth.Load(ctx); err != nil {
		return err
	}
	s.handler, err = httpapi.New(httpapi.Config{
		Services: s.services, CursorKey: s.keys.Cursor(), Now: s.now, NewID: newID, Metrics: unmeasured{},
		Report:    httpkit.Report{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))},
		Operation: httpapi.Operation{Checks: map[string]httpkit.Check{"store": s.store.Ping}},
	})
	if s.front != nil && err == nil {
		s.handler = s.front(s.handler)
	}
	return err
}

// secret is a random source that always returns the same keys, so that a replayed history has the
// same conflict ids and client ids.
type secret struct{}

func (secret) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(i)
	}
	return len(p), nil
}

type unmeasured struct{}

func (unmeasured) ObserveRequest(context.Context, string, string, int, time.Duration) {}
func (unmeasured) BundleSent(context.Context, string, int64)                          {}
func (unmeasured) RequestShed(string)                                                 {}
func (unmeasured) Replayed()                                                          {}

func (s *site) servicesOn(db store.Database) (all httpapi.Services, err error) {
	cheap := argon2id.Params{Memory: 8, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 16}
	if all.Auth, err = identity.New(
		db, identity.Config{Now: s.now, NewID: newID, Keys: s.keys, HashParams: cheap},
	); err != nil {
		return all, err
	}
	if all.Catalogue, err = catalogue.New(db, catalogue.Config{NewID: newID}); err != nil {
		return all, err
	}
	if all.Buildings, err = assets.New(db, assets.Config{NewID: newID}); err != nil {
		return all, err
	}
	all.Merge, err = merge.New(db, merge.Config{
		Signer:       s.signer,
		Now:          s.now,
		Rules:        all.Catalogue,
		Consequences: []merge.Consequences{defects.Consequences{NewID: newID}},
	})
	if err != nil {
		return all, err
	}
	all.Views, all.Defects = view.New(db), defects.New(db, newID)
	all.Visits, err = visits.New(
		db, visits.Config{NewID: newID, Rand: secret{}, Rules: all.Catalogue, Merge: all.Merge},
	)
	if err != nil {
		return all, err
	}
	all.Bundles, err = bundles.New(db, bundles.Config{
		Views: all.Views, Rules: all.Catalogue, Encode: httpapi.NewBundleEncoder(s.keys.Cursor()), Now: s.now,
	})
	return all, err
}

func (s *site) stop() error {
	s.services.Merge.Close()
	s.services.Catalogue.Close()
	return s.store.Close()
}

func (s *site) restart(ctx context.Context) error {
	if err := s.stop(); err != nil {
		return err
	}
	return s.start(ctx)
}

// backup copies the database, without stopping the server if the engine allows it.
func (s *site) backup(ctx context.Context) (copied string, err error) {
	if s.engine.online() {
		return s.engine.backup(ctx, s.store)
	}
	if err := s.stop(); err != nil {
		return "", err
	}
	if copied, err = s.engine.backup(ctx, nil); err != nil {
		return "", err
	}
	return copied, s.start(ctx)
}

// restore replaces the database by a backup and starts a new epoch, as `firemode restore` does.
func (s *site) restore(ctx context.Context, copied string) error {
	if err := s.stop(); err != nil {
		return err
	}
	if err := s.engine.restore(ctx, copied); err != nil {
		return err
	}
	if err := s.mark(ctx); err != nil {
		return err
	}
	return s.start(ctx)
}

func (s *site) mark(ctx context.Context) (err error) {
	if s.unmarked {
		return nil
	}
	db, err := s.engine.open(ctx, s.now)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.Migrate(ctx); err != nil {
		return err
	}
	_, err = merge.MarkRestored(ctx, db, merge.Restoration{Signer: s.signer, NewID: newID})
	return err
}

// verify rebuilds a session from its log and returns the differences.
func (s *site) verify(ctx context.Context, ref ledger.SessionRef) (differences []string, err error) {
	v := &verify.Verifier{
		Store:       s.store,
		Merge:       s.services.Merge,
		Key:         s.verifier,
		Recomputers: []verify.Recomputer{defects.Recomputer{}},
		Report:      func(where, what string) { differences = append(differences, where+": "+what) },
		Scratch:     func(ctx context.Context) (verify.Scratch, error) { return s.scratch(ctx) },
	}
	_, err = v.Run(ctx, verify.Scope{Org: ref.Org, Session: ref.Session})
	return differences, err
}

func (s *site) scratch(ctx context.Context) (store.Database, error) {
	dir, err := os.MkdirTemp(s.dir, "verify-*")
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "scratch.db")
	if err := os.WriteFile(path, s.empty, 0o600); err != nil {
		return nil, err
	}
	db, err := sqlite.Open(ctx, sqlite.Config{Path: path, Scratch: true, Now: s.now})
	return scratch{db, dir}, err
}

// scratch is a store that Close deletes.
type scratch struct {
	store.Database
	dir string
}

func (s scratch) Close() error { return errors.Join(s.Database.Close(), os.RemoveAll(s.dir)) }

// flawed is a store whose transactions are broken.
type flawed struct {
	store.Database
	flaw func(store.Tx) store.Tx
}

func (f flawed) Update(ctx context.Context, fn func(store.Tx) error) error {
	return f.Database.Update(ctx, func(tx store.Tx) error { return fn(f.flaw(tx)) })
}

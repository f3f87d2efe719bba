package identity

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"

	"firemode"
	"firemode/internal/keys"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
	"firemode/internal/store/postgres"
	"firemode/internal/store/storetest"
	"firemode/internal/store/storetest/pgtest"
)

const password = "correct horse"

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// clock is a clock that only tests advance.
type clock struct{ at atomic.Int64 }

func newClock() *clock {
	c := new(clock)
	c.at.Store(time.Date(2026, 11, 20, 3, 12, 44, 0, time.UTC).UnixMicro())
	return c
}

func (c *clock) now() time.Time { return time.UnixMicro(c.at.Load()) }

func (c *clock) advance(d time.Duration) { c.at.Add(d.Microseconds()) }

// fixture is an installation with two organisations: acme has the administrator ada and the
// technician tom, other has olga.
type fixture struct {
	*Service // one node of it
	store    store.Database
	clock    *clock
	config   Config
}

func newFixture(t *testing.T) *fixture { return newFixtureOn(t, storetest.OpenSQLiteAt) }

func newFixtureOn(t *testing.T, open func(testing.TB, func() time.Time) store.Database) *fixture {
	t.Helper()
	k, err := keys.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	var ids atomic.Int64
	p := &fixture{clock: newClock()}
	p.store = open(t, p.clock.now)
	p.config = Config{
		Now:   p.clock.now,
		NewID: func() string { return fmt.Sprintf("id-%04d", ids.Add(1)) },
		Keys:  k,
		// The cheapest parameters of Argon2id: these tests are not about its cost.
		HashParams: argon2id.Params{Memory: 8, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32},
	}
	p.Service = p.node(t)
	for _, org := range []firemode.OrgID{"acme", "other"} {
		if err := p.AddOrganisation(t.Context(), org, "Organisation "+string(org)); err != nil {
			t.Fatal(err)
		}
	}
	p.add(t, "acme", "ada", firemode.RoleAdmin)
	p.add(t, "acme", "tom", firemode.RoleTechnician)
	p.add(t, "other", "olga", firemode.RoleAdmin)
	return p
}

// node returns another node on the same store.
func (p *fixture) node(t *testing.T) *Service {
	t.Helper()
	s, err := New(p.store, p.config)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func (p *fixture) add(t *testing.T, org firemode.OrgID, name string, r firemode.Role) {
	t.Helper()
	p.clock.advance(time.Second)
	n := NewUser{
		ID:       firemode.UserID("u-" + name),
		Username: name + "@" + string(org),
		FullName: name,
		Role:     r,
		Password: password,
	}
	if _, err := p.CreateUser(AsOperator(t.Context(), org), n); err != nil {
		t.Fatal(err)
	}
}

// as returns a context in which the user of that name works.
func (p *fixture) as(t *testing.T, username string) context.Context {
	t.Helper()
	u, err := p.userByName(t.Context(), username)
	if err != nil {
		t.Fatal(err)
	}
	return firemode.WithPrincipal(
		t.Context(),
		firemode.Principal{Org: u.Org, User: u.ID, Name: u.Username, Role: u.Role},
	)
}

func (p *fixture) login(t *testing.T, username string) Tokens {
	t.Helper()
	got, err := p.Login(t.Context(), Credentials{Username: username, Password: password})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// actions lists the entries of the audit log of org, oldest first. It fails if the hash chain is
// broken.
func (p *fixture) actions(t *testing.T, org firemode.OrgID) (list []string) {
	t.Helper()
	var prev []byte
	err := p.store.View(t.Context(), func(tx store.ReadTx) error {
		return store.As[store.AuditReader](tx).EachAudit(t.Context(), org, func(e ledger.AuditEntry) error {
			if !e.Sealed() || string(e.Prev) != string(prev) {
				return fmt.Errorf("entry %d breaks the chain", e.Seq)
			}
			prev = e.Hash
			list = append(list, fmt.Sprintf("%s %s %s %s", e.User, e.Action, e.Subject, e.Data))
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// refused fails unless err is an Error of code with that message.
func refused(t *testing.T, err error, code firemode.Code, message string) {
	t.Helper()
	var e *firemode.Error
	if !errors.As(err, &e) || e.Code != code || e.Message != message {
		t.Errorf("got error %v, want code %d: %s", err, code, message)
	}
}

// accepted fails unless s accepts the access tokens; revoked fails unless it refuses them.
func accepted(t *testing.T, s *Service, tokens ...string) {
	t.Helper()
	for i, token := range tokens {
		if _, _, err := s.Authenticate(t.Context(), token); err != nil {
			t.Errorf("token %d: %v", i, err)
		}
	}
}

func revoked(t *testing.T, s *Service, tokens ...string) {
	t.Helper()
	for _, token := range tokens {
		_, _, err := s.Authenticate(t.Context(), token)
		refused(t, err, firemode.CodeUnauthenticated, "the access token is not valid; log in again")
	}
}

// underKey returns the context of a request with that Idempotency-Key.
func underKey(ctx context.Context, key string) (context.Context, *store.Idempotency) {
	claim := &store.Idempotency{Scope: "test", Key: key, Fingerprint: []byte(key)}
	return store.WithIdempotency(ctx, claim), claim
}

// countMatches counts how often s computes a hash to verify a password.
func countMatches(s *Service) *atomic.Int64 {
	n := new(atomic.Int64)
	match := s.passwords.match
	s.passwords.match = func(password, hash string) (bool, error) {
		n.Add(1)
		return match(password, hash)
	}
	return n
}

// concurrently calls f with 0 to n-1 at the same time, and waits for all calls.
func concurrently(n int, f func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { f(i) })
	}
	wg.Wait()
}

func ptr[T any](v T) *T { return &v }

func onBothEngines(t *testing.T, test func(t *testing.T, p *fixture)) {
	t.Run("sqlite", func(t *testing.T) { test(t, newFixtureOn(t, storetest.OpenSQLiteAt)) })
	t.Run("postgres", func(t *testing.T) { test(t, newFixtureOn(t, openPostgres)) })
}

// openPostgres uses the clock of the machine for transactions: these tests do not depend on their
// time.
func openPostgres(t testing.TB, _ func() time.Time) store.Database {
	t.Helper()
	s, err := postgres.Open(t.Context(), postgres.Config{URL: pgtest.New(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// invalid fails unless err is CodeInvalid for field.
func invalid(t *testing.T, err error, field string) {
	t.Helper()
	var e *firemode.Error
	if !errors.As(err, &e) || e.Code != firemode.CodeInvalid || len(e.Details) != 1 || e.Details[0].Field != field {
		t.Errorf("got %v, want the field %q to be refused", err, field)
	}
}

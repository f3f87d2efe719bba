package identity

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"

	"firemode"
	"firemode/internal/keys"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
	"firemode/internal/store/storetest"
)

const password = "correct horse"

// clock is a time that only tests move.
type clock struct{ at atomic.Int64 }

func newClock() *clock {
	c := new(clock)
	c.at.Store(time.Date(2026, 11, 20, 3, 12, 44, 0, time.UTC).UnixMicro())
	return c
}

func (c *clock) now() time.Time          { return time.UnixMicro(c.at.Load()) }
func (c *clock) advance(d time.Duration) { c.at.Add(d.Microseconds()) }

// place is an installation with two organisations: acme has the administrator ada and the technician tom, other has olga.
type place struct {
	*Service // one node of it
	store    store.Database
	clock    *clock
	config   Config
}

func newPlace(t *testing.T) *place { return newPlaceOn(t, storetest.OpenSQLiteAt) }

func newPlaceOn(t *testing.T, open func(testing.TB, func() time.Time) store.Database) *place {
	t.Helper()
	k, err := keys.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	var ids atomic.Int64
	p := &place{clock: newClock()}
	p.store = open(t, p.clock.now)
	p.config = Config{
		Now:   p.clock.now,
		NewID: func() string { return fmt.Sprintf("id-%04d", ids.Add(1)) },
		Keys:  k,
		// As cheap as Argon2id can be: these tests are not about its cost.
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

// node is another node on the same store.
func (p *place) node(t *testing.T) *Service {
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

func (p *place) add(t *testing.T, org firemode.OrgID, name string, r firemode.Role) {
	t.Helper()
	p.clock.advance(time.Second)
	n := NewUser{ID: firemode.UserID("u-" + name), Username: name + "@" + string(org), FullName: name, Role: r, Password: password}
	if _, err := p.CreateUser(AsOperator(t.Context(), org), n); err != nil {
		t.Fatal(err)
	}
}

// as returns a context in which the user of that name works.
func (p *place) as(t *testing.T, username string) context.Context {
	t.Helper()
	u, err := p.userByName(t.Context(), username)
	if err != nil {
		t.Fatal(err)
	}
	return firemode.WithPrincipal(t.Context(), firemode.Principal{Org: u.Org, User: u.ID, Name: u.Username, Role: u.Role})
}

func (p *place) login(t *testing.T, username string) Tokens {
	t.Helper()
	got, err := p.Login(t.Context(), Credentials{Username: username, Password: password})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// actions lists what the audit log of org says, oldest first, and fails if the chain is broken.
func (p *place) actions(t *testing.T, org firemode.OrgID) (list []string) {
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

// accepted fails unless s takes the access tokens; isVoid fails unless it refuses them.
func accepted(t *testing.T, s *Service, tokens ...string) {
	t.Helper()
	for i, token := range tokens {
		if _, _, err := s.Authenticate(t.Context(), token); err != nil {
			t.Errorf("token %d: %v", i, err)
		}
	}
}

func isVoid(t *testing.T, s *Service, tokens ...string) {
	t.Helper()
	for _, token := range tokens {
		_, _, err := s.Authenticate(t.Context(), token)
		refused(t, err, firemode.CodeUnauthenticated, "the access token is not valid; log in again")
	}
}

// underKey returns a context of a request with that Idempotency-Key.
func underKey(ctx context.Context, key string) (context.Context, *store.Idempotency) {
	claim := &store.Idempotency{Scope: "test", Key: key, Fingerprint: []byte(key)}
	return store.WithIdempotency(ctx, claim), claim
}

// countMatches makes s count how often it computes a hash to verify a password.
func countMatches(s *Service) *atomic.Int64 {
	n := new(atomic.Int64)
	match := s.passwords.match
	s.passwords.match = func(password, hash string) (bool, error) {
		n.Add(1)
		return match(password, hash)
	}
	return n
}

// together calls f n times at once.
func together(n int, f func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { f(i) })
	}
	wg.Wait()
}

func ptr[T any](v T) *T { return &v }

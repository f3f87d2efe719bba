package identity

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"firemode"
	"firemode/internal/store"
)

func TestLoad_RevokedOnAnotherNode_IsRefused(t *testing.T) {
	t.Parallel()
	for name, revoke := range map[string]func(t *testing.T, p *fixture, c Claims) error{
		"logout": func(t *testing.T, p *fixture, c Claims) error { return p.Logout(t.Context(), c) },
		"disabling": func(t *testing.T, p *fixture, _ Claims) error {
			_, err := p.DisableUser(t.Context(), "tom@acme")
			return err
		},
		"another role": func(t *testing.T, p *fixture, c Claims) error {
			_, err := p.UpdateUser(AsOperator(t.Context(), "acme"), c.User, 0, Patch{Role: ptr(firemode.RoleEngineer)})
			return err
		},
		"another password": func(t *testing.T, p *fixture, _ Claims) error {
			return p.ChangePassword(p.as(t, "tom@acme"), password, "battery staple")
		},
		"another password by the administrator": func(t *testing.T, p *fixture, c Claims) error {
			_, err := p.UpdateUser(p.as(t, "ada@acme"), c.User, 0, Patch{Password: ptr("battery staple")})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newFixture(t)
			far := p.node(t)
			mine, others := p.login(t, "tom@acme"), p.login(t, "ada@acme")
			_, claims, err := far.Authenticate(t.Context(), mine.Access)
			if err != nil {
				t.Fatal(err)
			}
			if err := revoke(t, p, claims); err != nil {
				t.Fatal(err)
			}
			revoked(t, p.Service, mine.Access) // immediately
			accepted(t, far, mine.Access)      // it has not polled yet
			if err := far.Load(t.Context()); err != nil {
				t.Fatal(err)
			}
			revoked(t, far, mine.Access)
			revoked(t, p.node(t), mine.Access) // a node that starts later
			accepted(t, far, others.Access)
			_, err = far.Refresh(t.Context(), mine.Refresh)
			refused(t, err, firemode.CodeUnauthenticated, badRefreshMessage)
		})
	}
}

// A revocation outlives every token it revokes, whatever Janitor deletes meanwhile.
func TestRevocation_OutlivesItsTokens(t *testing.T) {
	t.Parallel()
	p := newFixture(t)
	token := p.login(t, "tom@acme").Access
	if _, err := p.DisableUser(t.Context(), "tom@acme"); err != nil {
		t.Fatal(err)
	}
	p.clock.advance(AccessLifetime - time.Second)
	if _, err := p.Janitor(t.Context(), p.clock.now()); err != nil {
		t.Fatal(err)
	}
	if err := p.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	revoked(t, p.Service, token)
	revoked(t, p.node(t), token)
}

// A user who is enabled once more, or logs in with the new role, gets tokens that the old
// revocation does not cover.
func TestRevocation_TokensIssuedLater_AreValid(t *testing.T) {
	t.Parallel()
	p := newFixture(t)
	old := p.login(t, "tom@acme")
	for _, patch := range []Patch{{Disabled: ptr(true)}, {Disabled: ptr(false)}} {
		if _, err := p.UpdateUser(p.as(t, "ada@acme"), "u-tom", 0, patch); err != nil {
			t.Fatal(err)
		}
	}
	fresh := p.login(t, "tom@acme")
	revoked(t, p.Service, old.Access)
	accepted(t, p.Service, fresh.Access)
	accepted(t, p.node(t), fresh.Access)
}

func TestRun_PollsEveryHalfSecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newFixture(t)
		p.config.Now = time.Now
		far := p.node(t)
		f := &flaky{Database: p.store}
		far.store = f
		start := time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- far.Run(ctx) }()
		time.Sleep(10 * PollInterval)
		synctest.Wait()
		if got := f.polls.Load(); got != 11 {
			t.Errorf("%d polls in five seconds, want one at the start and 10 more", got)
		}
		f.down.Store(true)
		time.Sleep(6 * PollInterval)
		synctest.Wait()
		if age, err := far.Fresh(); age != 3*time.Second || !errors.Is(err, errUnreachable) {
			t.Errorf("fresh %s (%v), want 3s and the reason", age, err)
		}
		f.down.Store(false)
		time.Sleep(PollInterval)
		synctest.Wait()
		if age, err := far.Fresh(); age != 0 || err != nil {
			t.Errorf("after %s fresh %s (%v), want now", time.Since(start), age, err)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run ended with %v", err)
		}
	})
}

// After Changed, Run polls immediately, and once for all calls before that poll.
func TestRun_Changed_PollsImmediately(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newFixture(t)
		p.config.Poll = 24 * time.Hour
		far := p.node(t)
		f := &flaky{Database: p.store}
		far.store = f
		token := p.login(t, "tom@acme").Access
		accepted(t, far, token)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- far.Run(ctx) }()
		synctest.Wait()
		if _, err := p.DisableUser(t.Context(), "tom@acme"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		accepted(t, far, token) // Changed has not been called
		for range 1000 {
			far.Changed()
		}
		time.Sleep(minPause)
		synctest.Wait()
		revoked(t, far, token)
		time.Sleep(time.Hour)
		if got := f.polls.Load(); got != 2 {
			t.Errorf("%d polls, want the first and one after Changed", got)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run ended with %v", err)
		}
	})
}

// What another node revokes is refused here within a second of wall-clock time.
func TestRun_RevokedOnAnotherNode_IsRefusedWithinASecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newFixture(t)
		far := p.node(t)
		token := p.login(t, "tom@acme").Access
		accepted(t, far, token)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- far.Run(ctx) }()
		synctest.Wait()
		if _, err := p.DisableUser(t.Context(), "tom@acme"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		revoked(t, far, token)
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run ended with %v", err)
		}
	})
}

// The set keeps every revocation that is in force, in whatever order and however often they arrive.
func TestRevocations_AnyOrder_CoverWhatTheModelDoes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := newRevocations()
		now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		var model []firemode.Revocation
		families := rapid.SampledFrom([]string{"f1", "f2", ""})
		users := rapid.SampledFrom([]firemode.UserID{"ada", "tom"})
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 600).Draw(t, "seconds")) * time.Second)
			one := firemode.Revocation{
				Seq: int64(
					len(model) + 1,
				), Family: families.Draw(t, "family"), Org: "acme", User: users.Draw(t, "user"),
				Generation: rapid.Int64Range(1, 4).
					Draw(t, "generation"),
				ExpiresAt: now.Add(AccessLifetime + clockSkew),
			}
			model = append(model, one)
			if rapid.Bool().Draw(t, "here") {
				r.add(one)
			}
			r.merge(model[rapid.IntRange(0, len(model)-1).Draw(t, "overlap"):], now, nil)
			c := Claims{
				Org: "acme", User: users.Draw(t, "bearer"), Family: families.Draw(t, "login"),
				Generation: rapid.Int64Range(1, 5).Draw(t, "token"), ExpiresAt: now.Add(time.Second),
			}
			want := false
			for _, m := range model {
				inForce := !m.ExpiresAt.Before(now)
				ofFamily := m.Family != "" && m.Family == c.Family
				ofUser := m.Family == "" && m.User == c.User && c.Generation <= m.Generation
				want = want || inForce && (ofFamily || ofUser)
			}
			if want && !r.covers(c) {
				t.Fatalf("%+v is accepted at %s, revoked by one of %+v", c, now, model)
			}
		}
	})
}

func TestRevocations_CountsThoseInForce(t *testing.T) {
	t.Parallel()
	p := newFixture(t)
	fresh := p.node(t)
	wants := func(s *Service, size int) {
		t.Helper()
		n, asOf := s.Revocations()
		if n != size || !asOf.Equal(p.clock.now()) {
			t.Errorf("%d revocations as of %v, want %d as of %v", n, asOf, size, p.clock.now())
		}
	}
	wants(fresh, 0)
	_, claims, err := p.Authenticate(t.Context(), p.login(t, "tom@acme").Access)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Logout(t.Context(), claims); err != nil {
		t.Fatal(err)
	}
	if _, err := p.DisableUser(t.Context(), "tom@acme"); err != nil {
		t.Fatal(err)
	}
	wants(fresh, 0) // it has not polled yet
	p.clock.advance(time.Second)
	if err := fresh.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	wants(fresh, 2)
	p.clock.advance(AccessLifetime + 2*clockSkew)
	if err := fresh.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	wants(fresh, 0)
}

// flaky is a store whose reads fail while down is set.
type flaky struct {
	store.Database
	down  atomic.Bool
	polls atomic.Int64
}

var errUnreachable = errors.New("the database is unreachable")

func (f *flaky) View(ctx context.Context, fn func(store.ReadTx) error) error {
	f.polls.Add(1)
	if f.down.Load() {
		return errUnreachable
	}
	return f.Database.View(ctx, fn)
}

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

func TestRevocationReachesOtherNodes(t *testing.T) {
	for name, revoke := range map[string]func(t *testing.T, p *place, c Claims) error{
		"logout": func(t *testing.T, p *place, c Claims) error { return p.Logout(t.Context(), c) },
		"disabling": func(t *testing.T, p *place, _ Claims) error {
			_, err := p.DisableUser(t.Context(), "tom@acme")
			return err
		},
		"another role": func(t *testing.T, p *place, c Claims) error {
			_, err := p.UpdateUser(AsOperator(t.Context(), "acme"), c.User, 0, Patch{Role: ptr(firemode.RoleEngineer)})
			return err
		},
		"another password": func(t *testing.T, p *place, _ Claims) error {
			return p.ChangePassword(p.as(t, "tom@acme"), password, "battery staple")
		},
		"another password by the administrator": func(t *testing.T, p *place, c Claims) error {
			_, err := p.UpdateUser(p.as(t, "ada@acme"), c.User, 0, Patch{Password: ptr("battery staple")})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			far := p.node(t)
			mine, others := p.login(t, "tom@acme"), p.login(t, "ada@acme")
			_, claims, err := far.Authenticate(t.Context(), mine.Access)
			if err != nil {
				t.Fatal(err)
			}
			if err := revoke(t, p, claims); err != nil {
				t.Fatal(err)
			}
			isVoid(t, p.Service, mine.Access) // at once
			accepted(t, far, mine.Access)     // it has not looked yet
			if err := far.Load(t.Context()); err != nil {
				t.Fatal(err)
			}
			isVoid(t, far, mine.Access)
			isVoid(t, p.node(t), mine.Access) // one that starts later
			accepted(t, far, others.Access)
			_, err = far.Refresh(t.Context(), mine.Refresh)
			refused(t, err, firemode.CodeUnauthenticated, badRefreshMessage)
		})
	}
}

// A revocation outlives every token it voids, whatever is cleared away meanwhile.
func TestRevocationLastsAsLongAsItsTokens(t *testing.T) {
	p := newPlace(t)
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
	isVoid(t, p.Service, token)
	isVoid(t, p.node(t), token)
}

// A user who is enabled again, or logs in with the new role, gets tokens that the old revocation does not touch.
func TestNewTokensAfterARevocation(t *testing.T) {
	p := newPlace(t)
	old := p.login(t, "tom@acme")
	for _, patch := range []Patch{{Disabled: ptr(true)}, {Disabled: ptr(false)}} {
		if _, err := p.UpdateUser(p.as(t, "ada@acme"), "u-tom", 0, patch); err != nil {
			t.Fatal(err)
		}
	}
	fresh := p.login(t, "tom@acme")
	isVoid(t, p.Service, old.Access)
	accepted(t, p.Service, fresh.Access)
	accepted(t, p.node(t), fresh.Access)
}

// flaky is a store that cannot be read while down is set.
type flaky struct {
	store.Database
	down  atomic.Bool
	looks atomic.Int64
}

var errAway = errors.New("the database is away")

func (f *flaky) View(ctx context.Context, fn func(store.ReadTx) error) error {
	f.looks.Add(1)
	if f.down.Load() {
		return errAway
	}
	return f.Database.View(ctx, fn)
}

func TestRunLooksEveryHalfSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
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
		if got := f.looks.Load(); got != 11 {
			t.Errorf("%d looks in five seconds, want one at the start and 10 more", got)
		}
		f.down.Store(true)
		time.Sleep(6 * PollInterval)
		synctest.Wait()
		if age, err := far.Fresh(); age != 3*time.Second || !errors.Is(err, errAway) {
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

// Told of a change, Run looks at once, and once for all that it was told before that look.
func TestRunLooksWhenItIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
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
		accepted(t, far, token) // nobody has told it
		for range 1000 {
			far.Changed()
		}
		time.Sleep(rest)
		synctest.Wait()
		isVoid(t, far, token)
		time.Sleep(time.Hour)
		if got := f.looks.Load(); got != 2 {
			t.Errorf("%d looks, want the first and one for what it was told", got)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run ended with %v", err)
		}
	})
}

// What another node revokes is void here within a second, by the clock on the wall.
func TestRunTellsOfOtherNodesWithinASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
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
		isVoid(t, far, token)
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run ended with %v", err)
		}
	})
}

// The set never forgets what could still be used, whatever comes in, in whatever order and how often.
func TestRevocationsAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newRevocations()
		now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		var model []firemode.Revocation
		families := rapid.SampledFrom([]string{"f1", "f2", ""})
		users := rapid.SampledFrom([]firemode.UserID{"ada", "tom"})
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 600).Draw(t, "seconds")) * time.Second)
			one := firemode.Revocation{
				Seq: int64(len(model) + 1), Family: families.Draw(t, "family"), Org: "acme", User: users.Draw(t, "user"),
				Generation: rapid.Int64Range(1, 4).Draw(t, "generation"), ExpiresAt: now.Add(AccessLifetime + clockSkew),
			}
			model = append(model, one)
			if rapid.Bool().Draw(t, "here") {
				r.add(one)
			}
			r.looked(model[rapid.IntRange(0, len(model)-1).Draw(t, "overlap"):], now, nil)
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
			if want && !r.voids(c) {
				t.Fatalf("%+v is accepted at %s, revoked by one of %+v", c, now, model)
			}
		}
	})
}

func TestRevocationsAreCounted(t *testing.T) {
	p := newPlace(t)
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
	wants(fresh, 0) // it has not looked yet
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

package identity

import (
	"errors"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alexedwards/argon2id"

	"firemode"
)

func TestLogin_ReturnsTokensOfTheUser(t *testing.T) {
	t.Parallel()
	p := newFixture(t)
	for _, name := range []string{"tom@acme", "Tom@ACME"} {
		got := p.login(t, name)
		if got.ExpiresIn != 15*time.Minute || len(got.Refresh) != 43 {
			t.Errorf("tokens %+v, want 15 minutes and a refresh token of 256 bits", got)
		}
		who, claims, err := p.Authenticate(t.Context(), got.Access)
		if err != nil {
			t.Fatal(err)
		}
		tom := firemode.Principal{Org: "acme", User: "u-tom", Name: "tom@acme", Role: firemode.RoleTechnician}
		if who != tom {
			t.Errorf("principal %+v, want %+v", who, tom)
		}
		now := p.clock.now().UTC()
		want := Claims{
			ID: claims.ID, Org: "acme", User: "u-tom", Name: "tom@acme", Role: firemode.RoleTechnician,
			Family: claims.Family, Generation: 1, IssuedAt: now, ExpiresAt: now.Add(15 * time.Minute),
		}
		if claims != want || claims.ID == "" || claims.Family == "" {
			t.Errorf("claims %+v, want %+v", claims, want)
		}
	}
	want := []string{"u-tom login tom@acme {}", "u-tom login tom@acme {}"}
	if got := p.actions(t, "acme"); !slices.Equal(got[3:], want) {
		t.Errorf("audit log ends with %q, want %q", got[3:], want)
	}
}

// Every failed login computes one hash and returns the same message, so that neither reveals which
// names exist.
func TestLogin_AnyWrongCredentials_SameRefusal(t *testing.T) {
	t.Parallel()
	p := newFixture(t)
	p.add(t, "acme", "dan", firemode.RoleTechnician)
	if _, err := p.DisableUser(t.Context(), "dan@acme"); err != nil {
		t.Fatal(err)
	}
	hashed := countMatches(p.Service)
	for i, c := range []Credentials{
		{Username: "tom@acme", Password: "wrong horse"},
		{Username: "tom@acme", Password: ""},
		{Username: "nobody@acme", Password: password},
		{Username: "dan@acme", Password: password},
		{Username: "", Password: password},
		{Username: "tom@acme\x00", Password: password},
		{Username: "tom@acme'--", Password: password},
		{Username: string(make([]byte, 1<<16)), Password: password},
	} {
		_, err := p.Login(t.Context(), c)
		refused(t, err, firemode.CodeUnauthenticated, "username or password is wrong")
		if got := hashed.Load(); got != int64(i+1) {
			t.Errorf("login %d: %d hashes so far, want one each", i, got)
		}
	}
	params, _, _, err := argon2id.DecodeHash(p.passwords.decoy)
	if err != nil || *params != p.config.HashParams {
		t.Errorf("the decoy costs %+v (%v), a user's hash %+v", params, err, p.config.HashParams)
	}
}

func TestLogin_TooManyFailures_IsThrottled(t *testing.T) {
	t.Parallel()
	p := newFixture(t)
	for range 2 * userFailures {
		p.login(t, "tom@acme")
	}
	guess := Credentials{Username: "tom@acme", Password: "wrong horse", Remote: "192.0.2.1:999"}
	for range userFailures {
		_, err := p.Login(t.Context(), guess)
		refused(t, err, firemode.CodeUnauthenticated, "username or password is wrong")
	}
	p.clock.advance(time.Minute)
	_, err := p.Login(t.Context(), Credentials{Username: "TOM@acme", Password: password})
	refused(t, err, firemode.CodeRateLimited, "too many failed attempts; try again later")
	var e *firemode.Error
	if !errors.As(err, &e) || e.RetryAfter != 4*time.Minute {
		t.Errorf("retry after %v, want 4 minutes", e.RetryAfter)
	}
	p.login(t, "ada@acme")
	p.clock.advance(4 * time.Minute)
	p.login(t, "tom@acme")
}

// Concurrent guesses pass the first check of the throttle together; the check in the slot stops
// them.
func TestLogin_ConcurrentGuesses_AreThrottled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newFixture(t)
		hashed := countMatches(p.Service)
		var free func()
		for range maxHashes { // all but one slot stay taken, so that the order of events is known
			release, err := p.passwords.acquire(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			free = release
		}
		const guesses = 100
		codes := make(chan firemode.Code, guesses)
		for range guesses {
			go func() {
				_, err := p.Login(t.Context(), Credentials{Username: "tom@acme", Password: "wrong horse"})
				codes <- firemode.CodeOf(err)
			}()
		}
		synctest.Wait() // until all of them wait for the slot
		free()
		got := make(map[firemode.Code]int)
		for range guesses {
			got[<-codes]++
		}
		want := map[firemode.Code]int{
			firemode.CodeUnauthenticated: userFailures,
			firemode.CodeRateLimited:     guesses - userFailures,
		}
		if !maps.Equal(got, want) || hashed.Load() != userFailures {
			t.Errorf("answers by code %v with %d hashes, want %v with %d", got, hashed.Load(), want, userFailures)
		}
	})
}

func TestLogout_RevokesOnlyItsFamily(t *testing.T) {
	t.Parallel()
	p := newFixture(t)
	first, second := p.login(t, "tom@acme"), p.login(t, "tom@acme")
	refreshed, err := p.Refresh(t.Context(), first.Refresh)
	if err != nil {
		t.Fatal(err)
	}
	_, claims, err := p.Authenticate(t.Context(), refreshed.Access)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Logout(t.Context(), claims); err != nil {
		t.Fatal(err)
	}
	revoked(t, p.Service, first.Access, refreshed.Access)
	accepted(t, p.Service, second.Access)
	_, err = p.Refresh(t.Context(), refreshed.Refresh)
	refused(t, err, firemode.CodeUnauthenticated, "the refresh token is not valid; log in again")
	if _, err = p.Refresh(t.Context(), second.Refresh); err != nil {
		t.Errorf("the other login: %v", err)
	}
	if log := p.actions(t, "acme"); log[len(log)-1] != "u-tom logout tom@acme {}" {
		t.Errorf("audit log ends with %q", log[len(log)-1])
	}
}

// The password changes between its check and the issue of tokens.
func TestLogin_PasswordChangedMeanwhile_IsRefused(t *testing.T) {
	t.Parallel()
	onBothEngines(t, func(t *testing.T, p *fixture) {
		match := p.passwords.match
		p.passwords.match = func(given, hash string) (bool, error) {
			ok, err := match(given, hash)
			far := p.node(t)
			change := Patch{Password: ptr("battery staple")}
			if _, updateErr := far.UpdateUser(AsOperator(t.Context(), "acme"), "u-tom", 0, change); updateErr != nil {
				t.Error(updateErr)
			}
			return ok, err
		}
		_, err := p.Login(t.Context(), Credentials{Username: "tom@acme", Password: password})
		refused(t, err, firemode.CodeUnauthenticated, "username or password is wrong")
		err = p.ChangePassword(p.as(t, "tom@acme"), "battery staple", "horse correct")
		refused(t, err, firemode.CodeConflict, "the user was changed meanwhile; try again")
	})
}

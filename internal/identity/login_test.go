package identity

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alexedwards/argon2id"

	"firemode"
)

func TestLogin(t *testing.T) {
	p := newPlace(t)
	for _, name := range []string{"tom@acme", "Tom@ACME"} {
		got := p.login(t, name)
		if got.ExpiresIn != 15*time.Minute || len(got.Refresh) != 43 {
			t.Errorf("tokens %+v, want 15 minutes and a refresh token of 256 bits", got)
		}
		who, claims, err := p.Authenticate(t.Context(), got.Access)
		if err != nil {
			t.Fatal(err)
		}
		if want := (firemode.Principal{Org: "acme", User: "u-tom", Name: "tom@acme", Role: firemode.RoleTechnician}); who != want {
			t.Errorf("principal %+v, want %+v", who, want)
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

// Every failed login costs one hash of the usual price and says the same, so that neither tells which names exist.
func TestLoginRefusesAllAlike(t *testing.T) {
	p := newPlace(t)
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

func TestDefaultCostOfAPassword(t *testing.T) {
	want := argon2id.Params{Memory: 19456, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}
	if got := newPasswords(argon2id.Params{}).params; got != want {
		t.Errorf("params %+v, want %+v", got, want)
	}
}

func TestLoginThrottlesFailuresOnly(t *testing.T) {
	p := newPlace(t)
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

// Guesses that come in at once pass the first look of the throttle together; the look in the slot stops them.
func TestLoginThrottlesABurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		hashed := countMatches(p.Service)
		var free func()
		for range hashesAtOnce { // all but one slot stay taken, so that the order of events is known
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
		synctest.Wait() // until every one of them waits for the slot
		free()
		got := make(map[firemode.Code]int)
		for range guesses {
			got[<-codes]++
		}
		want := map[firemode.Code]int{firemode.CodeUnauthenticated: userFailures, firemode.CodeRateLimited: guesses - userFailures}
		if !maps.Equal(got, want) || hashed.Load() != userFailures {
			t.Errorf("answers by code %v with %d hashes, want %v with %d", got, hashed.Load(), want, userFailures)
		}
	})
}

func TestLoginsWaitForASlotAsLongAsTheirContext(t *testing.T) {
	p := newPlace(t)
	for range hashesAtOnce {
		release, err := p.passwords.acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer release()
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := p.prove(ctx, attempt{username: "nobody"}, password, p.passwords.decoy)
	refused(t, err, firemode.CodeUnavailable, "too many logins at once; try again")
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v does not tell the cause", err)
	}
}

func TestLogoutVoidsTheFamilyAlone(t *testing.T) {
	p := newPlace(t)
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
	isVoid(t, p.Service, first.Access, refreshed.Access)
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

func TestNewSaysEverythingThatIsMissing(t *testing.T) {
	_, err := New(nil, Config{})
	want := "auth: the store is missing\nauth: Now is missing\nauth: NewID is missing\nauth: Keys are missing"
	if fmt.Sprint(err) != want {
		t.Errorf("error %q, want %q", err, want)
	}
}

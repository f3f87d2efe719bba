package identity

import (
	"context"
	"errors"
	"testing"
	"time"

	"firemode"
	"firemode/internal/store"
)

const badRefreshMessage = "the refresh token is not valid; log in again"

func TestRefreshRotates(t *testing.T) {
	p := newPlace(t)
	tokens := p.login(t, "tom@acme")
	_, first, err := p.Authenticate(t.Context(), tokens.Access)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{tokens.Refresh: true, tokens.Access: true}
	for range 3 {
		p.clock.advance(RefreshLifetime - time.Second) // each has its own 30 days
		if tokens, err = p.Refresh(t.Context(), tokens.Refresh); err != nil {
			t.Fatal(err)
		}
		if seen[tokens.Refresh] || seen[tokens.Access] {
			t.Error("a token was given out twice")
		}
		seen[tokens.Refresh], seen[tokens.Access] = true, true
		_, c, err := p.Authenticate(t.Context(), tokens.Access)
		if err != nil || c.Family != first.Family || c.User != "u-tom" {
			t.Errorf("claims %+v (%v), want those of family %s", c, err, first.Family)
		}
	}
}

func TestRefreshRefuses(t *testing.T) {
	for name, tc := range map[string]struct {
		before  func(t *testing.T, p *place)
		token   func(good string) string
		message string
	}{
		"nothing":        {token: func(string) string { return "" }, message: badRefreshMessage},
		"an unknown one": {token: func(good string) string { return good[1:] + "A" }, message: badRefreshMessage},
		"one that expired": {
			before:  func(_ *testing.T, p *place) { p.clock.advance(RefreshLifetime) },
			message: "the refresh token has expired; log in again",
		},
		"one of a disabled user": {
			before: func(t *testing.T, p *place) {
				if _, err := p.DisableUser(t.Context(), "tom@acme"); err != nil {
					t.Fatal(err)
				}
			},
			message: badRefreshMessage,
		},
		"one of a user disabled in the database by hand": {
			before: func(t *testing.T, p *place) {
				err := p.store.Update(t.Context(), func(tx store.Tx) error {
					u, err := store.As[store.UserReader](tx).User(t.Context(), "acme", "u-tom")
					u.Disabled = true
					return errors.Join(err, store.As[store.UserWriter](tx).UpdateUser(t.Context(), u))
				})
				if err != nil {
					t.Fatal(err)
				}
			},
			message: badRefreshMessage,
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			token := p.login(t, "tom@acme").Refresh
			if tc.before != nil {
				tc.before(t, p)
			}
			if tc.token != nil {
				token = tc.token(token)
			}
			_, err := p.Refresh(t.Context(), token)
			refused(t, err, firemode.CodeUnauthenticated, tc.message)
		})
	}
}

// Of the second uses of a token only the retry of the same exchange is good.
func TestSecondUseOfARefreshToken(t *testing.T) {
	for name, tc := range map[string]struct {
		firstKey, secondKey string // Idempotency-Key, "" for none
		after               time.Duration
		sameTokens          bool
	}{
		"retried at once":                {"k1", "k1", 0, true},
		"retried in the last moment":     {"k1", "k1", RetryWindow, true},
		"retried too late":               {"k1", "k1", RetryWindow + time.Microsecond, false},
		"under another key":              {"k1", "k2", 0, false},
		"first without a key":            {"", "k1", 0, false},
		"second without a key":           {"k1", "", 0, false},
		"both without a key":             {"", "", 0, false},
		"long after, the key is no help": {"k1", "k1", 24 * time.Hour, false},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			login := p.login(t, "tom@acme")
			next := p.mustRefresh(t, tc.firstKey, login.Refresh)
			p.clock.advance(tc.after)
			ctx, claim := contextOf(t, tc.secondKey)
			again, err := p.Refresh(ctx, login.Refresh)
			if tc.sameTokens {
				if err != nil || again != next || !claim.Replayed {
					t.Errorf("got %+v (%v, replayed %t), want %+v again", again, err, claim.Replayed, next)
				}
				p.mustRefresh(t, "k3", next.Refresh)
				return
			}
			refused(t, err, firemode.CodeUnauthenticated, badRefreshMessage)
			if claim.Replayed {
				t.Error("a refusal is marked as replayed")
			}
			p.familyIsVoid(t, login, next)
		})
	}
}

func contextOf(t *testing.T, key string) (context.Context, *store.Idempotency) {
	if key == "" {
		return t.Context(), &store.Idempotency{}
	}
	return underKey(t.Context(), key)
}

func (p *place) mustRefresh(t *testing.T, key, token string) Tokens {
	t.Helper()
	ctx, claim := contextOf(t, key)
	got, err := p.Refresh(ctx, token)
	if err != nil || claim.Replayed {
		t.Fatalf("refresh: %v, replayed %t", err, claim.Replayed)
	}
	return got
}

// familyIsVoid checks that after a reuse nothing of the family is good any more, and that the log says so once.
func (p *place) familyIsVoid(t *testing.T, login, next Tokens) {
	t.Helper()
	for _, token := range []string{login.Refresh, next.Refresh} {
		_, err := p.Refresh(t.Context(), token)
		refused(t, err, firemode.CodeUnauthenticated, badRefreshMessage)
	}
	// In the next second, so that the tokens' own expiry is not what voids them.
	if p.clock.now().Before(time.Date(2026, 11, 20, 3, 20, 0, 0, time.UTC)) {
		isVoid(t, p.Service, login.Access, next.Access)
	}
	reused := 0
	for _, entry := range p.actions(t, "acme") {
		if entry == " refresh.reused u-tom {}" {
			reused++
		}
	}
	if reused != 1 {
		t.Errorf("the log tells of %d reuses, want 1", reused)
	}
}

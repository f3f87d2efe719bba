package identity

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"firemode"
	"firemode/internal/store"
)

const badRefreshMessage = "the refresh token is not valid; log in again"

func TestRefresh_RotatesTokensOfTheFamily(t *testing.T) {
	t.Parallel()
	p := newFixture(t)
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

func TestRefresh_InvalidToken_IsRefused(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		before  func(t *testing.T, p *fixture)
		token   func(good string) string
		message string
	}{
		"nothing":        {token: func(string) string { return "" }, message: badRefreshMessage},
		"an unknown one": {token: func(good string) string { return good[1:] + "A" }, message: badRefreshMessage},
		"one that expired": {
			before:  func(_ *testing.T, p *fixture) { p.clock.advance(RefreshLifetime) },
			message: "the refresh token has expired; log in again",
		},
		"one of a disabled user": {
			before: func(t *testing.T, p *fixture) {
				if _, err := p.DisableUser(t.Context(), "tom@acme"); err != nil {
					t.Fatal(err)
				}
			},
			message: badRefreshMessage,
		},
		"one of a user disabled in the database by hand": {
			before: func(t *testing.T, p *fixture) {
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
			p := newFixture(t)
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

// Only a retry of the same exchange may use a token a second time.
func TestRefresh_SecondUse_OnlyARetrySucceeds(t *testing.T) {
	t.Parallel()
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
			p := newFixture(t)
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
			p.familyIsRevoked(t, login, next)
		})
	}
}

// Two parties use one token at the same moment: one succeeds, and its new tokens are revoked by
// then.
func TestRefresh_ConcurrentUses_ExactlyOneSucceeds(t *testing.T) {
	t.Parallel()
	onBothEngines(t, func(t *testing.T, p *fixture) {
		login := p.login(t, "tom@acme")
		var tokens [8]Tokens
		var errs [8]error
		concurrently(len(tokens), func(i int) { tokens[i], errs[i] = p.Refresh(t.Context(), login.Refresh) })
		served := 0
		for i, err := range errs {
			if err == nil {
				served++
				revoked(t, p.Service, tokens[i].Access)
				continue
			}
			refused(t, err, firemode.CodeUnauthenticated, badRefreshMessage)
		}
		if served != 1 {
			t.Errorf("%d of %d were served, want 1", served, len(tokens))
		}
	})
}

// A refresh either sees the password change and is refused, or its tokens are revoked with the
// others.
func TestRefresh_ConcurrentPasswordChange_TokensAreRevoked(t *testing.T) {
	t.Parallel()
	onBothEngines(t, func(t *testing.T, p *fixture) {
		passwords := []string{
			password, "battery staple", "staple battery", "battery and staple", "staples, batteries",
		}
		for round, now := range passwords[1:] {
			before := passwords[round]
			login, err := p.Login(t.Context(), Credentials{Username: "tom@acme", Password: before})
			if err != nil {
				t.Fatal(err)
			}
			var next Tokens
			var refreshErr, changeErr error
			concurrently(2, func(i int) {
				if i == 0 {
					next, refreshErr = p.Refresh(t.Context(), login.Refresh)
					return
				}
				_, changeErr = p.UpdateUser(AsOperator(t.Context(), "acme"), "u-tom", 0, Patch{Password: &now})
			})
			if changeErr != nil {
				t.Fatal(changeErr)
			}
			revoked(t, p.Service, login.Access)
			if refreshErr != nil {
				refused(t, refreshErr, firemode.CodeUnauthenticated, badRefreshMessage)
				continue
			}
			revoked(t, p.Service, next.Access)
			_, err = p.Refresh(t.Context(), next.Refresh)
			refused(t, err, firemode.CodeUnauthenticated, badRefreshMessage)
		}
	})
}

func TestRefresh_RetryResponse_IsEncryptedAndDeleted(t *testing.T) {
	t.Parallel()
	p := newFixture(t)
	login := p.login(t, "tom@acme")
	next := p.mustRefresh(t, "k1", login.Refresh)
	kept := p.row(t, login.Refresh)
	if len(kept.RetryAnswer) == 0 || bytes.Contains(kept.RetryAnswer, []byte(next.Refresh)) ||
		bytes.Contains(kept.RetryAnswer, []byte("refresh")) {
		t.Errorf("the answer is kept as %q", kept.RetryAnswer)
	}
	p.clock.advance(RetryWindow)
	for _, tc := range []struct{ after, want time.Duration }{{0, 0}, {time.Second, 1}, {0, 0}} {
		p.clock.advance(tc.after)
		n, err := p.Janitor(t.Context(), p.clock.now())
		if err != nil || n != int(tc.want) {
			t.Errorf("janitor removed %d (%v), want %d", n, err, tc.want)
		}
	}
	if kept = p.row(t, login.Refresh); len(kept.RetryAnswer) != 0 {
		t.Errorf("after a minute the answer is still kept: %q", kept.RetryAnswer)
	}
	_, err := p.Refresh(t.Context(), login.Refresh)
	refused(t, err, firemode.CodeUnauthenticated, badRefreshMessage)
}

// A stored response that was moved to another row does not decrypt.
func TestOpenResponse_OtherRow_Fails(t *testing.T) {
	t.Parallel()
	p := newFixture(t)
	used := firemode.RefreshToken{Hash: hashRefresh("a"), RetryKey: "k"}
	sealed, err := p.sealResponse(used, Tokens{Access: "x", Refresh: "y", ExpiresIn: AccessLifetime})
	if err != nil {
		t.Fatal(err)
	}
	used.RetryAnswer = sealed
	if got, err := p.openResponse(used); err != nil || got != (Tokens{"x", "y", AccessLifetime}) {
		t.Errorf("opened %+v (%v)", got, err)
	}
	for _, other := range []firemode.RefreshToken{
		{Hash: hashRefresh("b"), RetryKey: "k", RetryAnswer: sealed},
		{Hash: hashRefresh("a"), RetryKey: "l", RetryAnswer: sealed},
	} {
		if got, err := p.openResponse(other); err == nil {
			t.Errorf("opened %+v in another row", got)
		}
	}
}

func contextOf(t *testing.T, key string) (context.Context, *store.Idempotency) {
	if key == "" {
		return t.Context(), &store.Idempotency{}
	}
	return underKey(t.Context(), key)
}

func (p *fixture) mustRefresh(t *testing.T, key, token string) Tokens {
	t.Helper()
	ctx, claim := contextOf(t, key)
	got, err := p.Refresh(ctx, token)
	if err != nil || claim.Replayed {
		t.Fatalf("refresh: %v, replayed %t", err, claim.Replayed)
	}
	return got
}

// familyIsRevoked checks that after a reuse no token of the family is valid, and that the audit log
// has one entry about it.
func (p *fixture) familyIsRevoked(t *testing.T, login, next Tokens) {
	t.Helper()
	for _, token := range []string{login.Refresh, next.Refresh} {
		_, err := p.Refresh(t.Context(), token)
		refused(t, err, firemode.CodeUnauthenticated, badRefreshMessage)
	}
	// Only while the tokens have not expired anyway.
	if p.clock.now().Before(time.Date(2026, 11, 20, 3, 20, 0, 0, time.UTC)) {
		revoked(t, p.Service, login.Access, next.Access)
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

func (p *fixture) row(t *testing.T, token string) (row firemode.RefreshToken) {
	t.Helper()
	err := p.store.View(t.Context(), func(tx store.ReadTx) (err error) {
		row, err = store.As[store.TokenReader](tx).RefreshToken(t.Context(), hashRefresh(token))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return row
}

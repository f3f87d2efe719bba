package auth

import (
	"bytes"
	"context"
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

// Two holders of one token at the same moment: exactly one is served, and what it was given is void by then.
func TestRefreshAtOnce(t *testing.T) {
	p := newPlace(t)
	login := p.login(t, "tom@acme")
	var tokens [8]Tokens
	var errs [8]error
	together(len(tokens), func(i int) { tokens[i], errs[i] = p.Refresh(t.Context(), login.Refresh) })
	served := 0
	for i, err := range errs {
		if err == nil {
			served++
			isVoid(t, p.Service, tokens[i].Access)
			continue
		}
		refused(t, err, firemode.CodeUnauthenticated, badRefreshMessage)
	}
	if served != 1 {
		t.Errorf("%d of %d were served, want 1", served, len(tokens))
	}
}

func TestRetryAnswerIsEncryptedAndForgotten(t *testing.T) {
	p := newPlace(t)
	login := p.login(t, "tom@acme")
	next := p.mustRefresh(t, "k1", login.Refresh)
	kept := p.row(t, login.Refresh)
	if len(kept.RetryAnswer) == 0 || bytes.Contains(kept.RetryAnswer, []byte(next.Refresh)) || bytes.Contains(kept.RetryAnswer, []byte("refresh")) {
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

func (p *place) row(t *testing.T, token string) (row firemode.RefreshToken) {
	t.Helper()
	err := p.store.View(t.Context(), func(tx store.ReadTx) (err error) {
		row, err = tx.RefreshToken(t.Context(), hashRefresh(token))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return row
}

// An answer that somebody moved to another row of the database does not open.
func TestRetryAnswerBelongsToItsExchange(t *testing.T) {
	p := newPlace(t)
	used := firemode.RefreshToken{Hash: hashRefresh("a"), RetryKey: "k"}
	sealed, err := p.sealAnswer(used, Tokens{Access: "x", Refresh: "y", ExpiresIn: AccessLifetime})
	if err != nil {
		t.Fatal(err)
	}
	used.RetryAnswer = sealed
	if got, err := p.openAnswer(used); err != nil || got != (Tokens{"x", "y", AccessLifetime}) {
		t.Errorf("opened %+v (%v)", got, err)
	}
	for _, other := range []firemode.RefreshToken{
		{Hash: hashRefresh("b"), RetryKey: "k", RetryAnswer: sealed},
		{Hash: hashRefresh("a"), RetryKey: "l", RetryAnswer: sealed},
	} {
		if got, err := p.openAnswer(other); err == nil {
			t.Errorf("opened %+v in another row", got)
		}
	}
}

func TestJanitorDeletesWhatExpired(t *testing.T) {
	p := newPlace(t)
	old := p.login(t, "tom@acme")
	p.clock.advance(RefreshLifetime)
	p.login(t, "tom@acme")
	if _, err := p.DisableUser(t.Context(), "tom@acme"); err != nil {
		t.Fatal(err)
	}
	p.clock.advance(time.Second)
	for _, want := range []int{1, 0} { // the first refresh token
		if n, err := p.Janitor(t.Context(), p.clock.now()); err != nil || n != want {
			t.Errorf("janitor removed %d (%v), want %d", n, err, want)
		}
	}
	_, err := p.Refresh(t.Context(), old.Refresh)
	refused(t, err, firemode.CodeUnauthenticated, badRefreshMessage)
	p.clock.advance(AccessLifetime + clockSkew)
	if n, err := p.Janitor(t.Context(), p.clock.now()); err != nil || n != 1 { // the revocation
		t.Errorf("janitor removed %d (%v), want 1", n, err)
	}
}

package identity

import (
	"bytes"
	"testing"
	"time"

	"firemode"
	"firemode/internal/store"
)

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
		row, err = store.As[store.TokenReader](tx).RefreshToken(t.Context(), hashRefresh(token))
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

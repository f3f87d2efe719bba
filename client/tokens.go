package client

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"sync"
	"time"
)

// Tokens are the credentials of a login. Keep them as secret as a password.
type Tokens struct {
	Access    string    `json:"access_token"`
	Refresh   string    `json:"refresh_token"`
	ExpiresAt time.Time `json:"expires_at"` // of Access, by Config.Now; zero if not known
}

// renewBefore is how long before its expiry an access token is renewed.
const renewBefore = 30 * time.Second

type credentials struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

type wireTokens struct {
	Access    string `json:"access_token"`
	Refresh   string `json:"refresh_token"`
	ExpiresIn int64  `json:"expires_in"` // seconds
}

// Login exchanges username and password for tokens, which later calls use.
func (c *Client) Login(ctx context.Context, username, password string) error {
	q := post(path("auth", "login"), credentials{username, password})
	q.anonymous = true
	got, err := c.obtain(ctx, q)
	if err == nil {
		c.tokens.set(got)
	}
	return err
}

// Logout revokes all tokens of the login and forgets them.
func (c *Client) Logout(ctx context.Context) error {
	_, err := c.do(ctx, post(path("auth", "logout"), nil), nil)
	if err == nil {
		c.tokens.set(Tokens{})
	}
	return err
}

// Tokens returns the current tokens, to store for the next start. They change at every renewal.
func (c *Client) Tokens() Tokens { return c.tokens.get() }

// exchange exchanges a refresh token for new tokens. The Idempotency-Key is derived from the token:
// an exchange whose response was lost can be repeated, also after a restart, and returns the same
// tokens.
func (c *Client) exchange(ctx context.Context, refresh string) (Tokens, error) {
	sum := sha256.Sum256([]byte("refresh " + refresh))
	q := post(path("auth", "refresh"), map[string]string{"refresh_token": refresh}).
		with(headerKey, hex.EncodeToString(sum[:16]))
	q.anonymous = true
	return c.obtain(ctx, q)
}

// obtain sends a request whose response is tokens.
func (c *Client) obtain(ctx context.Context, r request) (Tokens, error) {
	var wire wireTokens
	asked := c.now()
	if _, err := c.do(ctx, r, &wire); err != nil {
		return Tokens{}, err
	}
	expires := asked.Add(time.Duration(wire.ExpiresIn) * time.Second)
	return Tokens{Access: wire.Access, Refresh: wire.Refresh, ExpiresAt: expires}, nil
}

// tokenSource holds the current tokens. One caller at a time renews them; the others wait and use
// the result.
type tokenSource struct {
	now      func() time.Time
	exchange func(ctx context.Context, refresh string) (Tokens, error)
	flight   chan struct{} // holds a value during a renewal

	mu     sync.Mutex
	tokens Tokens
}

func newTokenSource(
	t Tokens, now func() time.Time, exchange func(context.Context, string) (Tokens, error),
) *tokenSource {
	return &tokenSource{now: now, exchange: exchange, flight: make(chan struct{}, 1), tokens: t}
}

func (s *tokenSource) get() Tokens {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tokens
}

func (s *tokenSource) set(t Tokens) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens = t
}

// current returns the access token, renewed first if it is about to expire.
func (s *tokenSource) current(ctx context.Context) (string, error) {
	t := s.get()
	if t.Refresh == "" || t.ExpiresAt.IsZero() || s.now().Before(t.ExpiresAt.Add(-renewBefore)) {
		return t.Access, nil
	}
	return s.renew(ctx, t.Access)
}

// renew returns an access token that is newer than stale, or stale itself if there is no refresh
// token. If the login has ended, the error is an *Error of status 401.
func (s *tokenSource) renew(ctx context.Context, stale string) (string, error) {
	select {
	case s.flight <- struct{}{}:
		defer func() { <-s.flight }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	t := s.get()
	if t.Access != stale || t.Refresh == "" {
		return t.Access, nil
	}
	renewed, err := s.exchange(ctx, t.Refresh)
	if StatusOf(err) == http.StatusUnauthorized {
		s.set(Tokens{}) // the login has ended, and another renewal would fail too
	}
	if err != nil {
		return "", err
	}
	s.set(renewed)
	return renewed.Access, nil
}

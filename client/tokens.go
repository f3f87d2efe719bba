package client

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"sync"
	"time"
)

// Tokens are what a login gives. Keep them as one keeps a password.
type Tokens struct {
	Access    string    `json:"access_token"`
	Refresh   string    `json:"refresh_token"`
	ExpiresAt time.Time `json:"expires_at"` // of Access, by the clock of this machine; zero when not known
}

// renewBefore is how long before its expiry an access token is refreshed.
const renewBefore = 30 * time.Second

type wireTokens struct {
	Access    string `json:"access_token"`
	Refresh   string `json:"refresh_token"`
	ExpiresIn int64  `json:"expires_in"` // seconds
}

// Login exchanges username and password for tokens, which are used from then on.
func (c *Client) Login(ctx context.Context, username, password string) error {
	q := post("/v1/auth/login", map[string]string{"username": username, "password": password})
	q.anonymous = true
	got, err := c.obtain(ctx, q)
	if err == nil {
		c.tokens.set(got)
	}
	return err
}

// Logout revokes the tokens and everything that descends from the same login.
func (c *Client) Logout(ctx context.Context) error {
	_, err := c.do(ctx, post("/v1/auth/logout", nil), nil)
	if err == nil {
		c.tokens.set(Tokens{})
	}
	return err
}

// Tokens returns the tokens in use, to be stored for the next start. They change whenever they are refreshed.
func (c *Client) Tokens() Tokens { return c.tokens.get() }

// exchange trades a refresh token for new tokens. The key follows from the token, so that an exchange whose answer was lost can
// be made again, by this client or after a restart, and gives the same.
func (c *Client) exchange(ctx context.Context, refresh string) (Tokens, error) {
	sum := sha256.Sum256([]byte("refresh " + refresh))
	q := post("/v1/auth/refresh", map[string]string{"refresh_token": refresh}).with(headerKey, hex.EncodeToString(sum[:16]))
	q.anonymous = true
	return c.obtain(ctx, q)
}

func (c *Client) obtain(ctx context.Context, q call) (Tokens, error) {
	var wire wireTokens
	asked := c.now()
	if _, err := c.do(ctx, q, &wire); err != nil {
		return Tokens{}, err
	}
	return Tokens{Access: wire.Access, Refresh: wire.Refresh, ExpiresAt: asked.Add(time.Duration(wire.ExpiresIn) * time.Second)}, nil
}

// keeper holds the tokens in use and has them refreshed by one caller at a time.
type keeper struct {
	now      func() time.Time
	exchange func(ctx context.Context, refresh string) (Tokens, error)
	flight   chan struct{} // holds a value while somebody refreshes

	mu     sync.Mutex
	tokens Tokens
}

func newKeeper(t Tokens, now func() time.Time, exchange func(context.Context, string) (Tokens, error)) *keeper {
	return &keeper{now: now, exchange: exchange, flight: make(chan struct{}, 1), tokens: t}
}

func (k *keeper) get() Tokens {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.tokens
}

func (k *keeper) set(t Tokens) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.tokens = t
}

// current returns an access token that is not about to expire, if there can be one.
func (k *keeper) current(ctx context.Context) (string, error) {
	t := k.get()
	if t.Refresh == "" || t.ExpiresAt.IsZero() || k.now().Before(t.ExpiresAt.Add(-renewBefore)) {
		return t.Access, nil
	}
	return k.renew(ctx, t.Access)
}

// renew returns an access token that has come after stale; stale itself when there is no refresh token to get one with. It is an
// *Error of status 401 when the login has ended.
func (k *keeper) renew(ctx context.Context, stale string) (string, error) {
	select {
	case k.flight <- struct{}{}:
		defer func() { <-k.flight }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	t := k.get()
	if t.Access != stale || t.Refresh == "" {
		return t.Access, nil
	}
	renewed, err := k.exchange(ctx, t.Refresh)
	if StatusOf(err) == http.StatusUnauthorized {
		k.set(Tokens{}) // the login has ended: asking again would be refused again
	}
	if err != nil {
		return "", err
	}
	k.set(renewed)
	return renewed.Access, nil
}

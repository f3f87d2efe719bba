package identity

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"firemode"
	"firemode/internal/keys"
)

func TestAuthenticate_InvalidToken_IsRefused(t *testing.T) {
	t.Parallel()
	p := newFixture(t)
	good := p.login(t, "tom@acme").Access
	accepted(t, p.Service, good)
	_, foreign, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := p.clock.now()
	claims := func(change func(*wireClaims)) wireClaims {
		w := wireClaims{
			RegisteredClaims: jwt.RegisteredClaims{
				ID: "x", Issuer: issuer, Subject: "u-tom",
				IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(time.Minute)),
			},
			Org: "acme", Name: "tom@acme", Role: firemode.RoleAdmin, Family: "f", Generation: 1,
		}
		change(&w)
		return w
	}
	as := func(method jwt.SigningMethod, key any, change func(*wireClaims)) string {
		token, err := jwt.NewWithClaims(method, claims(change)).SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	asIs := func(*wireClaims) {}
	own := p.keys.Token()
	parts := strings.Split(good, ".")
	otherClaims := strings.Split(as(jwt.SigningMethodEdDSA, own, asIs), ".")[1]
	expired := func(w *wireClaims) { w.ExpiresAt = jwt.NewNumericDate(now) }
	accepted(t, p.Service, as(jwt.SigningMethodEdDSA, own, asIs))
	for name, token := range map[string]string{
		"nothing":             "",
		"no token":            "abc",
		"dots":                "..",
		"with its scheme":     "Bearer " + good,
		"unsigned":            as(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, asIs),
		"HMAC by public key":  as(jwt.SigningMethodHS256, []byte(own.Public().(ed25519.PublicKey)), asIs),
		"another key":         as(jwt.SigningMethodEdDSA, foreign, asIs),
		"expired, forged":     as(jwt.SigningMethodEdDSA, foreign, expired),
		"another issuer":      as(jwt.SigningMethodEdDSA, own, func(w *wireClaims) { w.Issuer = "else" }),
		"without expiry":      as(jwt.SigningMethodEdDSA, own, func(w *wireClaims) { w.ExpiresAt = nil }),
		"signature cut off":   parts[0] + "." + parts[1] + ".",
		"signature cut short": good[:len(good)-4],
		"other claims":        parts[0] + "." + otherClaims + "." + parts[2],
		"padded":              good + "=",
	} {
		t.Run(name, func(t *testing.T) { revoked(t, p.Service, token) })
	}
}

func TestAuthenticate_ExpiredToken_IsRefused(t *testing.T) {
	t.Parallel()
	p := newFixture(t)
	token := p.login(t, "tom@acme").Access
	restarted := p.node(t)
	p.clock.advance(AccessLifetime - time.Second)
	accepted(t, p.Service, token)
	accepted(t, restarted, token)
	p.clock.advance(time.Second)
	for name, s := range map[string]*Service{"that has cached it": p.Service, "that has not": p.node(t)} {
		_, _, err := s.Authenticate(t.Context(), token)
		t.Log("a node", name)
		refused(t, err, firemode.CodeUnauthenticated, "the access token has expired; refresh it")
	}
}

func TestAuthenticate_RestartWithSameKeys_TokenIsValid(t *testing.T) {
	t.Parallel()
	p := newFixture(t)
	dir := t.TempDir()
	start := func() *Service {
		k, err := keys.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		p.config.Keys = k
		return p.node(t)
	}
	p.Service = start()
	tokens := p.login(t, "tom@acme")
	restarted := start()
	accepted(t, restarted, tokens.Access)
	if _, err := restarted.Refresh(t.Context(), tokens.Refresh); err != nil {
		t.Error(err)
	}
}

func TestAuthenticate_BeforeLoad_IsUnavailable(t *testing.T) {
	t.Parallel()
	p := newFixture(t)
	token := p.login(t, "tom@acme").Access
	s, err := New(p.store, p.config)
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = s.Authenticate(t.Context(), token)
	refused(t, err, firemode.CodeUnavailable, "the service is starting")
	if age, err := s.Fresh(); age != math.MaxInt64 || err != nil {
		t.Errorf("fresh %s (%v), want never", age, err)
	}
	if err := s.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	accepted(t, s, token)
	p.clock.advance(3 * time.Second)
	if age, err := s.Fresh(); age != 3*time.Second || err != nil {
		t.Errorf("fresh %s (%v), want 3s", age, err)
	}
}

// The cache holds only that the signature is valid: a cached token is refused like any other.
func TestAuthenticate_CachedToken_IsStillRefused(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(ctx context.Context, p *fixture, c Claims) error{
		"logged out": func(ctx context.Context, p *fixture, c Claims) error { return p.Logout(ctx, c) },
		"disabled": func(ctx context.Context, p *fixture, _ Claims) error {
			_, err := p.DisableUser(ctx, "tom@acme")
			return err
		},
		"of another role": func(ctx context.Context, p *fixture, c Claims) error {
			_, err := p.UpdateUser(AsOperator(ctx, "acme"), c.User, 0, Patch{Role: ptr(firemode.RoleEngineer)})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newFixture(t)
			far := p.node(t)
			token := p.login(t, "tom@acme").Access
			for _, s := range []*Service{p.Service, far} {
				cached(t, s, token)
			}
			_, c, err := p.Authenticate(t.Context(), token)
			if err != nil {
				t.Fatal(err)
			}
			if err := end(t.Context(), p, c); err != nil {
				t.Fatal(err)
			}
			revoked(t, p.Service, token)
			if err := far.Load(t.Context()); err != nil {
				t.Fatal(err)
			}
			revoked(t, far, token)
		})
	}
	t.Run("expired", func(t *testing.T) {
		p := newFixture(t)
		token := p.login(t, "tom@acme").Access
		cached(t, p.Service, token)
		p.clock.advance(AccessLifetime)
		_, _, err := p.Authenticate(t.Context(), token)
		refused(t, err, firemode.CodeUnauthenticated, "the access token has expired; refresh it")
	})
	t.Run("altered", func(t *testing.T) {
		p := newFixture(t)
		token := p.login(t, "tom@acme").Access
		cached(t, p.Service, token)
		for i := range token {
			if token[i] != '.' && i%7 == 0 {
				revoked(t, p.Service, token[:i]+flipped(token[i])+token[i+1:])
			}
		}
	})
}

// The cache is bounded, and forged tokens do not enter it.
func TestAuthenticate_TokenCache_IsBounded(t *testing.T) {
	t.Parallel()
	p := newFixture(t)
	for i := range parsedTokens {
		p.parsed.Add(sha256.Sum256([]byte(fmt.Sprint(i))), Claims{})
	}
	cached(t, p.Service, p.login(t, "tom@acme").Access)
	if got := p.parsed.Len(); got != parsedTokens {
		t.Errorf("%d tokens are cached, want %d", got, parsedTokens)
	}
	p.parsed.Purge()
	for i := range 100 {
		revoked(t, p.Service, fmt.Sprint("forged.", i, ".token"))
	}
	if got := p.parsed.Len(); got != 0 {
		t.Errorf("%d forged tokens are cached", got)
	}
}

// cached fails unless s has the token in its cache.
func cached(t *testing.T, s *Service, token string) {
	t.Helper()
	if _, err := s.verify(token); err != nil {
		t.Fatal(err)
	}
	before := s.parsed.Len()
	if _, err := s.verify(token); err != nil || before == 0 || s.parsed.Len() != before {
		t.Fatalf("the token is not cached: %v", err)
	}
}

// flipped returns another letter of base64url, in which all bits count at the end of a part too.
func flipped(c byte) string {
	if c == 'A' {
		return "w"
	}
	return "A"
}

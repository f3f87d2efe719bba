package identity

import (
	"crypto/ed25519"
	"crypto/rand"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"firemode"
	"firemode/internal/keys"
)

func TestAuthenticateRefuses(t *testing.T) {
	p := newPlace(t)
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
				ID: "x", Issuer: issuer, Subject: "u-tom", IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(time.Minute)),
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
	accepted(t, p.Service, as(jwt.SigningMethodEdDSA, own, asIs))
	for name, token := range map[string]string{
		"nothing":             "",
		"no token":            "abc",
		"dots":                "..",
		"with its scheme":     "Bearer " + good,
		"unsigned":            as(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, asIs),
		"HMAC by public key":  as(jwt.SigningMethodHS256, []byte(own.Public().(ed25519.PublicKey)), asIs),
		"another key":         as(jwt.SigningMethodEdDSA, foreign, asIs),
		"expired, forged":     as(jwt.SigningMethodEdDSA, foreign, func(w *wireClaims) { w.ExpiresAt = jwt.NewNumericDate(now) }),
		"another issuer":      as(jwt.SigningMethodEdDSA, own, func(w *wireClaims) { w.Issuer = "else" }),
		"without expiry":      as(jwt.SigningMethodEdDSA, own, func(w *wireClaims) { w.ExpiresAt = nil }),
		"signature cut off":   parts[0] + "." + parts[1] + ".",
		"signature cut short": good[:len(good)-4],
		"other claims":        parts[0] + "." + strings.Split(as(jwt.SigningMethodEdDSA, own, asIs), ".")[1] + "." + parts[2],
		"padded":              good + "=",
	} {
		t.Run(name, func(t *testing.T) { isVoid(t, p.Service, token) })
	}
}

func TestAuthenticateUntilExpiry(t *testing.T) {
	p := newPlace(t)
	token := p.login(t, "tom@acme").Access
	restarted := p.node(t)
	p.clock.advance(AccessLifetime - time.Second)
	accepted(t, p.Service, token)
	accepted(t, restarted, token)
	p.clock.advance(time.Second)
	for name, s := range map[string]*Service{"that has it in memory": p.Service, "that has not": p.node(t)} {
		_, _, err := s.Authenticate(t.Context(), token)
		t.Log("a node", name)
		refused(t, err, firemode.CodeUnauthenticated, "the access token has expired; refresh it")
	}
}

func TestTokenOutlivesARestartWithTheKeysOnDisk(t *testing.T) {
	p := newPlace(t)
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

func TestAuthenticateNotBeforeTheRevocationsAreLoaded(t *testing.T) {
	p := newPlace(t)
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

package identity

import (
	"context"
	"crypto/sha256"
	"errors"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"firemode"
)

const (
	issuer       = "firemode"
	parsedTokens = 16_384 // cached with their claims, at some 400 bytes each
)

// tokenHash is the cache key of a token: it does not authenticate, and has a fixed size.
type tokenHash [sha256.Size]byte

// Claims is what an access token says.
type Claims struct {
	ID         string // of this token
	Org        firemode.OrgID
	User       firemode.UserID
	Name       string
	Role       firemode.Role
	Family     string // all tokens that descend from one login
	Generation int64  // of the user when it was issued
	IssuedAt   time.Time
	ExpiresAt  time.Time
}

// Principal returns the principal that the token authenticates.
func (c Claims) Principal() firemode.Principal {
	return firemode.Principal{Org: c.Org, User: c.User, Name: c.Name, Role: c.Role}
}

// wireClaims are the claims as the JWT carries them.
type wireClaims struct {
	jwt.RegisteredClaims
	Org        firemode.OrgID `json:"org"`
	Name       string         `json:"name"`
	Role       firemode.Role  `json:"role"`
	Family     string         `json:"family"`
	Generation int64          `json:"generation"`
}

func (w wireClaims) claims() Claims {
	return Claims{
		ID: w.ID, Org: w.Org, User: firemode.UserID(w.Subject), Name: w.Name, Role: w.Role,
		Family: w.Family, Generation: w.Generation, IssuedAt: w.IssuedAt.UTC(), ExpiresAt: w.ExpiresAt.UTC(),
	}
}

// sign returns a new access token of u.
func (s *Service) sign(u firemode.User, family string) (string, error) {
	now := s.now()
	return jwt.NewWithClaims(jwt.SigningMethodEdDSA, wireClaims{
		RegisteredClaims: jwt.RegisteredClaims{
			ID:        s.newID(),
			Issuer:    issuer,
			Subject:   string(u.ID),
			IssuedAt:  jwt.NewNumericDate(now),
			ExpiresAt: jwt.NewNumericDate(now.Add(AccessLifetime)),
		},
		Org: u.Org, Name: u.Username, Role: u.Role, Family: family, Generation: u.Generation,
	}).SignedString(s.keys.Token())
}

// Authenticate returns the principal and the claims of an access token, given without the word
// "Bearer". It does no I/O. Every refusal is CodeUnauthenticated; its message distinguishes an
// expired token, and nothing else. Before Load has succeeded it is CodeUnavailable.
func (s *Service) Authenticate(_ context.Context, bearer string) (firemode.Principal, Claims, error) {
	if !s.revoked.loaded() {
		return firemode.Principal{}, Claims{}, firemode.Unavailable(time.Second, "the service is starting")
	}
	c, err := s.verify(bearer)
	if err != nil {
		return firemode.Principal{}, Claims{}, err
	}
	if s.revoked.covers(c) {
		return firemode.Principal{}, Claims{}, errBadToken(nil)
	}
	return c.Principal(), c, nil
}

// verify checks signature and expiry. It caches valid signatures, which stay valid, and checks the
// expiry each time, as Authenticate does the revocations.
func (s *Service) verify(bearer string) (Claims, error) {
	hash := tokenHash(sha256.Sum256([]byte(bearer)))
	if c, ok := s.parsed.Get(hash); ok {
		if !s.now().Before(c.ExpiresAt) {
			return Claims{}, errExpiredToken(jwt.ErrTokenExpired)
		}
		return c, nil
	}
	var w wireClaims
	_, err := jwt.ParseWithClaims(bearer, &w, func(*jwt.Token) (any, error) { return s.keys.Token().Public(), nil },
		jwt.WithValidMethods([]string{jwt.SigningMethodEdDSA.Alg()}), jwt.WithIssuer(issuer),
		jwt.WithExpirationRequired(), jwt.WithTimeFunc(s.now), jwt.WithStrictDecoding())
	switch {
	case errors.Is(err, jwt.ErrTokenExpired): // checked only if the signature is valid
		return Claims{}, errExpiredToken(err)
	case err != nil:
		return Claims{}, errBadToken(err)
	}
	c := w.claims()
	s.parsed.Add(hash, c)
	return c, nil
}

func errBadToken(cause error) error {
	e := firemode.Unauthenticated("the access token is not valid; log in again")
	e.Err = cause
	return e
}

func errExpiredToken(cause error) error {
	e := firemode.Unauthenticated("the access token has expired; refresh it")
	e.Err = cause
	return e
}

package identity

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"time"

	"firemode"
	"firemode/internal/store"
)

// Credentials are what a user sends to log in.
type Credentials struct {
	Username string // compared without case
	Password string
	Remote   string // address of the caller, for the throttle; "" for none
}

// Tokens are the result of a login or a refresh.
type Tokens struct {
	Access    string // a JWT
	Refresh   string // opaque
	ExpiresIn time.Duration
}

// Login starts a new family of tokens. It is CodeUnauthenticated, with one message, for an unknown
// or disabled user and for a wrong password, and CodeRateLimited after too many failures of the
// username or the address. Successful logins do not count.
func (s *Service) Login(ctx context.Context, c Credentials) (Tokens, error) {
	u, err := s.candidate(ctx, c.Username)
	if err != nil {
		return Tokens{}, err
	}
	ok, err := s.checkPassword(ctx, attempt{username: c.Username, remote: c.Remote}, c.Password, u.PasswordHash)
	if err != nil {
		return Tokens{}, err
	}
	if !ok {
		return Tokens{}, errWrongCredentials()
	}
	var t Tokens
	err = s.store.Update(ctx, func(tx store.Tx) error {
		if err := lock(ctx, tx, u.Org); err != nil {
			return err
		}
		current, err := store.As[store.UserReader](tx).User(ctx, u.Org, u.ID)
		if err != nil {
			return err
		}
		if current.Generation != u.Generation { // disabled, or given another password, during the check
			return errWrongCredentials()
		}
		if t, err = s.issue(ctx, tx, current, s.newID()); err != nil {
			return err
		}
		return s.audit(
			ctx,
			tx,
			firemode.Principal{Org: u.Org, User: u.ID},
			store.Action{Name: "login", Subject: u.Username},
		)
	})
	return t, err
}

// candidate returns the user who may log in as username. If there is none it returns a user of
// unknown password, so that the check takes as long.
func (s *Service) candidate(ctx context.Context, username string) (firemode.User, error) {
	nobody := firemode.User{PasswordHash: s.passwords.decoy}
	if checkUsername(username) != nil {
		return nobody, nil
	}
	u, err := s.userByName(ctx, username)
	if firemode.CodeOf(err) == firemode.CodeNotFound || err == nil && u.Disabled {
		return nobody, nil
	}
	return u, err
}

// checkPassword reports whether password matches hash, and counts a failure if not. It asks the
// throttle twice: before it waits for a slot, so that guesses do not queue, and in the slot, so
// that a burst of concurrent guesses is stopped too.
func (s *Service) checkPassword(ctx context.Context, a attempt, password, hash string) (bool, error) {
	if err := s.throttle.wait(a, s.now()); err != nil {
		return false, err
	}
	release, err := s.passwords.acquire(ctx)
	if err != nil {
		return false, err
	}
	defer release()
	if err := s.throttle.wait(a, s.now()); err != nil {
		return false, err
	}
	ok, err := s.passwords.match(password, hash)
	if err == nil && !ok {
		s.throttle.fail(a, s.now())
	}
	return ok, err
}

// issue creates the next pair of tokens of family. The transaction holds the lock of the
// organisation.
func (s *Service) issue(ctx context.Context, tx store.Tx, u firemode.User, family string) (Tokens, error) {
	access, err := s.sign(u, family)
	if err != nil {
		return Tokens{}, err
	}
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails, see crypto/rand
	t := Tokens{Access: access, Refresh: base64.RawURLEncoding.EncodeToString(secret), ExpiresIn: AccessLifetime}
	now := s.now()
	return t, store.As[store.TokenWriter](tx).CreateRefreshToken(ctx, firemode.RefreshToken{
		Hash: hashRefresh(t.Refresh), Org: u.Org, User: u.ID, Family: family,
		IssuedAt: now, ExpiresAt: now.Add(RefreshLifetime),
	})
}

// Logout revokes the access token of c and every token that descends from the same login.
func (s *Service) Logout(ctx context.Context, c Claims) error {
	_, err := store.Once(ctx, s.store, func(tx store.Tx) (struct{}, error) {
		if err := lock(ctx, tx, c.Org); err != nil {
			return struct{}{}, err
		}
		revocation := firemode.Revocation{Org: c.Org, User: c.User, Family: c.Family}
		if err := s.revokeFamily(ctx, tx, revocation); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, s.audit(ctx, tx, c.Principal(), store.Action{Name: "logout", Subject: c.Name})
	})
	return err
}

func hashRefresh(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

func errWrongCredentials() error {
	return firemode.Unauthenticated("username or password is wrong")
}

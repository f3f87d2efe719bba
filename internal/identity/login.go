package identity

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"time"

	"firemode"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// Credentials are what a user shows at login.
type Credentials struct {
	Username string // compared without case
	Password string
	Remote   string // address of the caller, for the throttle; "" for none
}

// Tokens are the answer to a login or a refresh.
type Tokens struct {
	Access    string // a JWT
	Refresh   string // opaque
	ExpiresIn time.Duration
}

// Login begins a new family of tokens. It is CodeUnauthenticated, in the same words, for an unknown or disabled user and
// for a wrong password, and CodeRateLimited after too many failures of the username or the address; success does not count.
func (s *Service) Login(ctx context.Context, c Credentials) (Tokens, error) {
	u, err := s.candidate(ctx, c.Username)
	if err != nil {
		return Tokens{}, err
	}
	ok, err := s.prove(ctx, attempt{username: c.Username, remote: c.Remote}, c.Password, u.PasswordHash)
	if err != nil {
		return Tokens{}, err
	}
	if !ok {
		return Tokens{}, wrongCredentials()
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
		if current.Generation != u.Generation { // disabled, or given another password, while this one was being checked
			return wrongCredentials()
		}
		if t, err = s.issue(ctx, tx, current, s.newID()); err != nil {
			return err
		}
		return s.audit(ctx, tx, u.Org, ledger.AuditEntry{User: u.ID, Action: "login", Subject: u.Username})
	})
	return t, err
}

// candidate returns the user who may log in as username, and one whose password nobody knows if there is none.
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

// prove reports whether password is the one of hash, and counts a failure if not. The throttle is asked before waiting for a slot,
// so that guesses do not queue, and again in it, so that a burst of guesses that came in at once is stopped too.
func (s *Service) prove(ctx context.Context, a attempt, password, hash string) (bool, error) {
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

// issue makes the next pair of tokens of family. Its transaction holds the lock of the organisation.
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

// Logout revokes the access token of c and everything that descends from the same login.
func (s *Service) Logout(ctx context.Context, c Claims) error {
	_, err := store.Once(ctx, s.store, func(tx store.Tx) (struct{}, error) {
		if err := lock(ctx, tx, c.Org); err != nil {
			return struct{}{}, err
		}
		if err := s.revokeFamily(ctx, tx, firemode.Revocation{Org: c.Org, User: c.User, Family: c.Family}); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, s.audit(ctx, tx, c.Org, ledger.AuditEntry{User: c.User, Action: "logout", Subject: c.Name})
	})
	return err
}

func hashRefresh(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

func wrongCredentials() error {
	return firemode.Unauthenticated("username or password is wrong")
}

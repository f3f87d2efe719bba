// Package auth knows who may come in and what they may do: users and their passwords, access and refresh tokens, revocation,
// and the one policy table. It promises:
//
//   - An access token is good for 15 minutes, or until it is revoked: at once on the node that was asked, and within one
//     second on the others as long as Run works there: as soon as it is told by Changed, or when it polls. Checking one costs no I/O.
//   - A refresh token is good once. A second use revokes everything that descends from the same login, but the same exchange
//     retried within 60 seconds under the same Idempotency-Key gives the same tokens.
//   - Disabling a user, or changing role or password, voids every token of that user in the transaction of the change.
//   - Passwords and refresh tokens are never stored, logged or put into an answer, only what verifies them. An attempt with an unknown or
//     disabled user costs and says the same as one with a wrong password.
//   - An organisation never loses its last enabled administrator.
//
// Everything that decides who may come in runs under the lock of the organisation's audit log, taken before any row is read:
// so a login or a refresh sees a user wholly before or wholly after a change, and two administrators cannot disable
// each other at once.
package identity

import (
	"cmp"
	"context"
	"crypto/cipher"
	"crypto/ed25519"
	"errors"
	"time"

	"github.com/alexedwards/argon2id"
	lru "github.com/hashicorp/golang-lru/v2"

	"firemode"
	"firemode/internal/store"
)

// Lifetimes and intervals of the contract.
const (
	AccessLifetime  = 15 * time.Minute
	RefreshLifetime = 30 * 24 * time.Hour
	RetryWindow     = time.Minute            // in which an exchange can be retried
	PollInterval    = 500 * time.Millisecond // between two looks at the revocations of other nodes
)

// Config is what a Service needs.
type Config struct {
	Now        func() time.Time
	NewID      func() string // mints ids of users, families, tokens and audit entries
	Keys       Keys
	HashParams argon2id.Params // zero for m=19 MiB, t=2, p=1
	Poll       time.Duration   // between two looks of Run that nobody has asked for; PollInterval if 0
}

// Keys are the secrets of the installation; *keys.Keys has them.
type Keys interface {
	Token() ed25519.PrivateKey
	// Responses encrypts and minds its own nonces, as the one of cipher.NewGCMWithRandomNonce does.
	Responses() cipher.AEAD
}

// Validate says everything that is missing.
func (c Config) Validate() error {
	var missing []error
	if c.Now == nil {
		missing = append(missing, errors.New("auth: Now is missing"))
	}
	if c.NewID == nil {
		missing = append(missing, errors.New("auth: NewID is missing"))
	}
	switch {
	case c.Keys == nil:
		missing = append(missing, errors.New("auth: Keys are missing"))
	case len(c.Keys.Token()) != ed25519.PrivateKeySize:
		missing = append(missing, errors.New("auth: Keys.Token is not an Ed25519 key"))
	case c.Keys.Responses() == nil || c.Keys.Responses().NonceSize() != 0:
		missing = append(missing, errors.New("auth: Keys.Answers must mind its own nonces"))
	}
	return errors.Join(missing...)
}

// Service is identity. Its methods may be called at once from any number of goroutines.
type Service struct {
	store     store.Store
	now       func() time.Time
	newID     func() string
	keys      Keys
	passwords *passwords
	throttle  *throttle
	parsed    *lru.Cache[tokenHash, Claims] // access tokens whose signature has been checked
	revoked   *revocations
	poll      time.Duration
	changed   chan struct{} // holds one when Run is to look at once
}

// New returns a service on s. Before it can authenticate it must Load the revocations.
func New(s store.Store, c Config) (*Service, error) {
	if s == nil {
		return nil, errors.Join(errors.New("auth: the store is missing"), c.Validate())
	}
	if err := c.Validate(); err != nil {
		return nil, err
	}
	parsed, err := lru.New[tokenHash, Claims](parsedTokens)
	if err != nil {
		return nil, err
	}
	return &Service{
		store:     s,
		now:       func() time.Time { return c.Now().UTC().Truncate(time.Microsecond) },
		newID:     c.NewID,
		keys:      c.Keys,
		passwords: newPasswords(c.HashParams),
		throttle:  newThrottle(),
		parsed:    parsed,
		revoked:   newRevocations(),
		poll:      cmp.Or(c.Poll, PollInterval),
		changed:   make(chan struct{}, 1),
	}, nil
}

// Janitor deletes tokens and revocations that expired before now and the answers of exchanges that can no longer be retried, and
// returns how many. It is to run every minute, and may run on several nodes at once.
func (s *Service) Janitor(ctx context.Context, now time.Time) (n int, err error) {
	err = s.store.Update(ctx, func(tx store.Tx) error {
		answers, err := store.As[store.TokenWriter](tx).ForgetRetryAnswers(ctx, now.Add(-RetryWindow))
		if err != nil {
			return err
		}
		tokens, err := store.As[store.TokenWriter](tx).DeleteExpiredTokens(ctx, now)
		n = answers + tokens
		return err
	})
	return n, err
}

// lock keeps everybody else from deciding who may come into org until the transaction ends.
func lock(ctx context.Context, tx store.Tx, org firemode.OrgID) error {
	_, _, err := store.As[store.AuditWriter](tx).LockAudit(ctx, org)
	return err
}

// actor returns who ctx works for if they may do p.
func actor(ctx context.Context, p Permission) (firemode.Principal, error) {
	who, err := firemode.Caller(ctx)
	if err != nil {
		return who, err
	}
	if !p.Allows(who.Role) {
		return firemode.Principal{}, firemode.Forbidden("the role %s may not do this", who.Role)
	}
	return who, nil
}

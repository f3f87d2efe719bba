// Package identity authenticates users and decides what they may do: users and their passwords,
// access and refresh tokens, revocation, and the one policy table. It promises:
//
//   - An access token is valid for 15 minutes, or until it is revoked: immediately on the node that
//     revokes it, and within one second on the others as long as Run works there. Checking one
//     costs no I/O.
//   - A refresh token is valid once. A second use revokes everything that descends from the same
//     login, but the same exchange retried within 60 seconds under the same Idempotency-Key returns
//     the same tokens.
//   - Disabling a user, or changing role or password, revokes every token of that user in the
//     transaction of the change.
//   - Passwords and refresh tokens are never stored, logged or returned, only what verifies them.
//     An attempt with an unknown or disabled user takes as long, and returns the same, as one with
//     a wrong password.
//   - An organisation always keeps an enabled administrator.
//
// Every decision about access runs under the lock of the organisation's audit log, taken before any
// row is read. So a login or a refresh sees a user wholly before or wholly after a change, and two
// administrators cannot disable each other at the same moment.
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
	RetryWindow     = time.Minute            // in which a refresh can be retried
	PollInterval    = 500 * time.Millisecond // between two polls for the revocations of other nodes
)

// Config is what a Service needs.
type Config struct {
	Now        func() time.Time
	NewID      func() string // mints ids of users, families, tokens and audit entries
	Keys       Keys
	HashParams argon2id.Params // zero for m=19 MiB, t=2, p=1
	Poll       time.Duration   // between two polls of Run; PollInterval if 0
}

// Keys are the secrets of the installation; *keys.Keys implements it.
type Keys interface {
	// Token signs access tokens.
	Token() ed25519.PrivateKey
	// Responses encrypts stored responses. It generates its own nonces, as
	// cipher.NewGCMWithRandomNonce does.
	Responses() cipher.AEAD
}

// Validate returns an error that names everything that is missing.
func (c Config) Validate() error {
	var missing []error
	if c.Now == nil {
		missing = append(missing, errors.New("identity: Now is missing"))
	}
	if c.NewID == nil {
		missing = append(missing, errors.New("identity: NewID is missing"))
	}
	switch {
	case c.Keys == nil:
		missing = append(missing, errors.New("identity: Keys are missing"))
	case len(c.Keys.Token()) != ed25519.PrivateKeySize:
		missing = append(missing, errors.New("identity: Keys.Token is not an Ed25519 key"))
	case c.Keys.Responses() == nil || c.Keys.Responses().NonceSize() != 0:
		missing = append(missing, errors.New("identity: Keys.Responses must generate its own nonces"))
	}
	return errors.Join(missing...)
}

// Service is safe for concurrent use.
type Service struct {
	store     store.Store
	now       func() time.Time
	newID     func() string
	keys      Keys
	passwords *passwords
	throttle  *throttle
	parsed    *lru.Cache[tokenHash, Claims] // access tokens whose signature has been verified
	revoked   *revocations
	poll      time.Duration
	changed   chan struct{} // holds one while Run is due to poll immediately
}

// New returns a service on s. It authenticates nobody before Load has succeeded.
func New(s store.Store, c Config) (*Service, error) {
	if s == nil {
		return nil, errors.Join(errors.New("identity: the store is missing"), c.Validate())
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

// Janitor deletes tokens and revocations that expired before now, and the stored responses of
// exchanges that can no longer be retried. It returns how many. Run it every minute; it may run on
// several nodes at the same time.
func (s *Service) Janitor(ctx context.Context, now time.Time) (n int, err error) {
	err = s.store.Update(ctx, func(tx store.Tx) error {
		writer := store.As[store.TokenWriter](tx)
		responses, err := writer.ForgetRetryAnswers(ctx, now.Add(-RetryWindow))
		if err != nil {
			return err
		}
		tokens, err := writer.DeleteExpiredTokens(ctx, now)
		n = responses + tokens
		return err
	})
	return n, err
}

// lock keeps others from deciding about access to org until the transaction ends.
func lock(ctx context.Context, tx store.Tx, org firemode.OrgID) error {
	_, _, err := store.As[store.AuditWriter](tx).LockAudit(ctx, org)
	return err
}

// authorize returns the caller if they have p.
func authorize(ctx context.Context, p Permission) (firemode.Principal, error) {
	who, err := firemode.Caller(ctx)
	if err != nil {
		return who, err
	}
	if !p.Allows(who.Role) {
		return firemode.Principal{}, firemode.Forbidden("the role %s may not do this", who.Role)
	}
	return who, nil
}

// audit records in the audit log that by did a, whose ID is minted here.
func (s *Service) audit(ctx context.Context, tx store.Tx, by firemode.Principal, a store.Action) error {
	a.ID = firemode.AuditID(s.newID())
	return store.AppendActions(ctx, tx, by, a)
}

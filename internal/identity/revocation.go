package identity

import (
	"context"
	"math"
	"sync"
	"time"

	"firemode"
	"firemode/internal/store"
)

const (
	// The clocks of two nodes may differ by this much. A revocation is kept for as long after its
	// last token has expired.
	clockSkew = 5 * time.Minute

	// Writers may commit out of order, so each poll begins this far before the last Seq that was
	// seen. There are never more concurrent revocations.
	seqOverlap = 1000

	pollTimeout = 2 * time.Second

	// minPause is the least time between two polls, so that a thousand logouts elsewhere are not a
	// thousand polls here.
	minPause = 20 * time.Millisecond
)

// revocations are those that this node knows. It is safe for concurrent use.
type revocations struct {
	mu       sync.RWMutex
	families map[string]time.Time // when the entry expires
	users    map[userKey]revokedUser
	lastSeq  int64
	asOf     time.Time // when the last successful poll began; zero before the first
	err      error     // of the last poll
}

type userKey struct {
	org  firemode.OrgID
	user firemode.UserID
}

type revokedUser struct {
	generation int64 // revoked with all earlier ones
	expires    time.Time
}

func newRevocations() *revocations {
	return &revocations{families: make(map[string]time.Time), users: make(map[userKey]revokedUser)}
}

// Load reads the revocations that are in force. The service can authenticate after the first
// success.
func (s *Service) Load(ctx context.Context) error {
	now := s.now()
	var list []firemode.Revocation
	err := s.store.View(ctx, func(tx store.ReadTx) (err error) {
		list, err = store.As[store.TokenReader](tx).RevocationsSince(ctx, s.revoked.since(), now)
		return err
	})
	s.revoked.merge(list, now, err)
	return err
}

// Run polls for the revocations of other nodes after each Changed, and at every poll interval,
// until ctx ends; then it returns nil. A failed poll is retried at the next interval, and Fresh
// reports it.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(s.poll)
	defer tick.Stop()
	for {
		s.pollOnce(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(minPause):
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-s.changed:
		}
	}
}

// Changed makes Run poll immediately: another node may have revoked something.
func (s *Service) Changed() {
	select {
	case s.changed <- struct{}{}:
	default: // a poll is due already
	}
}

func (s *Service) pollOnce(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, pollTimeout)
	defer cancel()
	_ = s.Load(ctx) // Fresh reports the error
}

// Fresh returns the age of the newest successful poll, and the error of the last poll, nil if it
// succeeded. The age is math.MaxInt64 before the first Load. Readiness uses it.
func (s *Service) Fresh() (age time.Duration, err error) {
	s.revoked.mu.RLock()
	defer s.revoked.mu.RUnlock()
	if s.revoked.asOf.IsZero() {
		return math.MaxInt64, s.revoked.err
	}
	return s.now().Sub(s.revoked.asOf), s.revoked.err
}

// Revocations returns how many are in force, and when the newest successful poll began; zero before
// the first Load.
func (s *Service) Revocations() (size int, asOf time.Time) {
	s.revoked.mu.RLock()
	defer s.revoked.mu.RUnlock()
	return len(s.revoked.families) + len(s.revoked.users), s.revoked.asOf
}

// revokeFamily revokes every token of r.Family.
func (s *Service) revokeFamily(ctx context.Context, tx store.Tx, r firemode.Revocation) error {
	if err := store.As[store.TokenWriter](tx).RevokeFamily(ctx, r.Family); err != nil {
		return err
	}
	return s.revoke(ctx, tx, r)
}

// revokeUser revokes every token of u up to and including its generation.
func (s *Service) revokeUser(ctx context.Context, tx store.Tx, u firemode.User) error {
	if err := store.As[store.TokenWriter](tx).RevokeUserTokens(ctx, u.Org, u.ID); err != nil {
		return err
	}
	return s.revoke(ctx, tx, firemode.Revocation{Org: u.Org, User: u.ID, Generation: u.Generation})
}

// revoke writes r for the other nodes, and applies it to this one after the commit.
func (s *Service) revoke(ctx context.Context, tx store.Tx, r firemode.Revocation) error {
	r.ExpiresAt = s.now().Add(AccessLifetime + clockSkew)
	tx.AfterCommit(func() { s.revoked.add(r) })
	return store.As[store.TokenWriter](tx).CreateRevocation(ctx, r)
}

func (r *revocations) loaded() bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return !r.asOf.IsZero()
}

// since returns the Seq after which to poll.
func (r *revocations) since() int64 {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return max(0, r.lastSeq-seqOverlap)
}

// covers reports whether the token of c is revoked.
func (r *revocations) covers(c Claims) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if _, found := r.families[c.Family]; found {
		return true
	}
	u, found := r.users[userKey{c.Org, c.User}]
	return found && c.Generation <= u.generation
}

// merge adds the result of a poll that began at now, and removes what has expired.
func (r *revocations) merge(list []firemode.Revocation, now time.Time, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err = err; err != nil {
		return
	}
	for _, one := range list {
		r.put(one)
		r.lastSeq = max(r.lastSeq, one.Seq)
	}
	r.asOf = now
	for family, expires := range r.families {
		if expires.Before(now) {
			delete(r.families, family)
		}
	}
	for user, u := range r.users {
		if u.expires.Before(now) {
			delete(r.users, user)
		}
	}
}

func (r *revocations) add(one firemode.Revocation) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.put(one)
}

// put keeps, of all revocations of a family or user, the highest generation and the latest expiry:
// they may arrive in any order, and more than once. The caller holds r.mu.
func (r *revocations) put(one firemode.Revocation) {
	if one.Family != "" {
		r.families[one.Family] = later(r.families[one.Family], one.ExpiresAt)
		return
	}
	key := userKey{one.Org, one.User}
	u := r.users[key]
	r.users[key] = revokedUser{
		generation: max(u.generation, one.Generation), expires: later(u.expires, one.ExpiresAt),
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

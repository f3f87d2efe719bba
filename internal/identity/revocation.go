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
	// The clocks of two nodes may differ by this much: a revocation is kept so long after the last token it voids has expired.
	clockSkew = 5 * time.Minute

	// Writers may commit out of order, so each look begins this far before the last Seq that was seen. More revocations than
	// that cannot be under way at once.
	seqOverlap = 1000

	pollTimeout = 2 * time.Second

	// rest is between two looks, so that a thousand logouts elsewhere are not a thousand looks here.
	rest = 20 * time.Millisecond
)

// revocations is what this node knows to be void.
type revocations struct {
	mu       sync.RWMutex
	families map[string]time.Time // when the entry can be forgotten
	users    map[userKey]voided
	lastSeq  int64
	asOf     time.Time // when the last successful look began; zero before the first
	err      error     // of the last look
}

type userKey struct {
	org  firemode.OrgID
	user firemode.UserID
}

type voided struct {
	generation int64 // and every one before it
	expires    time.Time
}

func newRevocations() *revocations {
	return &revocations{families: make(map[string]time.Time), users: make(map[userKey]voided)}
}

// Load reads the revocations that are in force. Once it has succeeded the service can authenticate.
func (s *Service) Load(ctx context.Context) error {
	now := s.now()
	var list []firemode.Revocation
	err := s.store.View(ctx, func(tx store.ReadTx) (err error) {
		list, err = store.As[store.TokenReader](tx).RevocationsSince(ctx, s.revoked.since(), now)
		return err
	})
	s.revoked.looked(list, now, err)
	return err
}

// Run looks for the revocations of other nodes when Changed says that there may be some, and every PollInterval besides, until ctx
// ends, which is no error. A look that fails is tried again at the next turn; Fresh tells of it.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(s.poll)
	defer tick.Stop()
	for {
		s.look(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(rest):
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-s.changed:
		}
	}
}

// Changed has Run look at once: another node may have revoked something.
func (s *Service) Changed() {
	select {
	case s.changed <- struct{}{}:
	default: // Run has yet to begin the look that was asked for before
	}
}

func (s *Service) look(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, pollTimeout)
	defer cancel()
	_ = s.Load(ctx) // kept for Fresh
}

// Fresh returns how long ago the revocations of other nodes were known, for readiness, and why the last look failed, if it did.
// Before the first Load the age is the greatest there is.
func (s *Service) Fresh() (age time.Duration, err error) {
	s.revoked.mu.RLock()
	defer s.revoked.mu.RUnlock()
	if s.revoked.asOf.IsZero() {
		return math.MaxInt64, s.revoked.err
	}
	return s.now().Sub(s.revoked.asOf), s.revoked.err
}

// Revocations returns how many are in force, and when those of other nodes were last known; zero before the first Load.
func (s *Service) Revocations() (size int, asOf time.Time) {
	s.revoked.mu.RLock()
	defer s.revoked.mu.RUnlock()
	return len(s.revoked.families) + len(s.revoked.users), s.revoked.asOf
}

// revokeFamily voids every token of r.Family.
func (s *Service) revokeFamily(ctx context.Context, tx store.Tx, r firemode.Revocation) error {
	if err := store.As[store.TokenWriter](tx).RevokeFamily(ctx, r.Family); err != nil {
		return err
	}
	return s.revoke(ctx, tx, r)
}

// revokeUser voids every token of u up to and including its generation.
func (s *Service) revokeUser(ctx context.Context, tx store.Tx, u firemode.User) error {
	if err := store.As[store.TokenWriter](tx).RevokeUserTokens(ctx, u.Org, u.ID); err != nil {
		return err
	}
	return s.revoke(ctx, tx, firemode.Revocation{Org: u.Org, User: u.ID, Generation: u.Generation})
}

// revoke tells the other nodes of r, and this one as soon as it is durable.
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

// since is the Seq after which to look.
func (r *revocations) since() int64 {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return max(0, r.lastSeq-seqOverlap)
}

// voids reports whether the token of c has been revoked.
func (r *revocations) voids(c Claims) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if _, gone := r.families[c.Family]; gone {
		return true
	}
	v, known := r.users[userKey{c.Org, c.User}]
	return known && c.Generation <= v.generation
}

// looked takes in the outcome of a look that began at now, and forgets what voids nothing any more.
func (r *revocations) looked(list []firemode.Revocation, now time.Time, err error) {
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
	for user, v := range r.users {
		if v.expires.Before(now) {
			delete(r.users, user)
		}
	}
}

func (r *revocations) add(one firemode.Revocation) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.put(one)
}

// put keeps the most that any of the revocations of a family or user voids, for the longest: they can come in any order, and twice.
func (r *revocations) put(one firemode.Revocation) {
	if one.Family != "" {
		r.families[one.Family] = later(r.families[one.Family], one.ExpiresAt)
		return
	}
	key := userKey{one.Org, one.User}
	v := r.users[key]
	r.users[key] = voided{generation: max(v.generation, one.Generation), expires: later(v.expires, one.ExpiresAt)}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

package identity

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"

	"firemode"
)

const (
	minPassword = 10 // characters
	maxPassword = 128

	// One hash takes 19 MiB and a core for tens of milliseconds; more at a time would starve the
	// rest of the service.
	maxHashes = 2
)

// passwords hashes and verifies passwords, at most maxHashes at a time.
type passwords struct {
	params argon2id.Params
	slots  chan struct{}
	decoy  string // a hash of no known password
	match  func(password, hash string) (bool, error)
}

func newPasswords(params argon2id.Params) *passwords {
	if params == (argon2id.Params{}) {
		// The second of the equivalent minima of OWASP's Password Storage Cheat Sheet.
		params = argon2id.Params{Memory: 19 * 1024, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}
	}
	return &passwords{
		params: params,
		slots:  make(chan struct{}, maxHashes),
		decoy:  decoy(params),
		match:  argon2id.ComparePasswordAndHash,
	}
}

// decoy returns a hash of no known password that costs as much to verify as any other.
func decoy(p argon2id.Params) string {
	random := make([]byte, p.SaltLength+p.KeyLength)
	_, _ = rand.Read(random) // never fails, see crypto/rand
	salt, key := random[:p.SaltLength], random[p.SaltLength:]
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf(
		"$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s",
		p.Memory,
		p.Iterations,
		p.Parallelism,
		b64(salt),
		b64(key),
	)
}

// acquire waits for a slot to hash in. Call release to free it.
func (p *passwords) acquire(ctx context.Context) (release func(), err error) {
	select {
	case p.slots <- struct{}{}:
		return func() { <-p.slots }, nil
	case <-ctx.Done():
		e := firemode.Unavailable(time.Second, "too many concurrent logins; try again")
		e.Err = ctx.Err()
		return nil, e
	}
}

// hash returns the PHC string of password.
func (p *passwords) hash(ctx context.Context, password string) (string, error) {
	release, err := p.acquire(ctx)
	if err != nil {
		return "", err
	}
	defer release()
	hash, err := argon2id.CreateHash(password, &p.params)
	if err != nil {
		return "", fmt.Errorf("hash a password: %w", err)
	}
	return hash, nil
}

// validatePassword returns why a new password is not allowed.
func validatePassword(field, password string) error {
	switch n := utf8.RuneCountInString(password); {
	case !utf8.ValidString(password):
		return firemode.InvalidField(field, "must be valid UTF-8")
	case n < minPassword, n > maxPassword:
		return firemode.InvalidField(field, "must have %d to %d characters", minPassword, maxPassword)
	default:
		return nil
	}
}

package supervisor

import "time"

// Backoff says how long to wait before a service that failed is started again.
type Backoff struct {
	First  time.Duration // after the first failure; it doubles with each one that follows
	Most   time.Duration // it grows no longer than this
	Steady time.Duration // a service that ran this long before it failed has failed for the first time
}

// DefaultBackoff is for services of a server: a writer that died is back before its callers have tried again, and one that cannot run
// at all costs nothing worth mentioning.
func DefaultBackoff() Backoff {
	return Backoff{First: 50 * time.Millisecond, Most: 30 * time.Second, Steady: time.Minute}
}

// after returns the pause that follows failure number n, from 1. jitter, in [0, 1), moves it between its half and its whole, so that
// services that failed of the same cause do not come back at the same moment.
func (b Backoff) after(n int, jitter float64) time.Duration {
	d := b.First
	for ; n > 1 && d < b.Most; n-- {
		d *= 2
	}
	half := min(d, b.Most) / 2
	return half + time.Duration(jitter*float64(half))
}

package supervisor

import "time"

// Backoff is the pause between a failure of a service and its restart.
type Backoff struct {
	First  time.Duration // after the first failure; it doubles with each further failure
	Max    time.Duration // upper limit
	Steady time.Duration // a run of at least this length resets the count of failures
}

// DefaultBackoff returns the pauses for services of a server: a failed writer is back before its
// callers retry, and a service that can never run costs almost nothing.
func DefaultBackoff() Backoff {
	return Backoff{First: 50 * time.Millisecond, Max: 30 * time.Second, Steady: time.Minute}
}

// after returns the pause after failure number n, counted from 1. jitter, in [0, 1), scales it
// between half and all of its length, so that services with the same cause of failure do not
// restart at the same moment.
func (b Backoff) after(n int, jitter float64) time.Duration {
	d := b.First
	for ; n > 1 && d < b.Max; n-- {
		d *= 2
	}
	half := min(d, b.Max) / 2
	return half + time.Duration(jitter*float64(half))
}

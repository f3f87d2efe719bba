package client

import (
	"errors"
	"math/rand/v2"
	"time"
)

// lostError is a request of which nobody knows what became: the connection was refused, or lost before the answer was whole.
type lostError struct {
	err error
}

func (e *lostError) Error() string { return e.err.Error() }

func (e *lostError) Unwrap() error { return e.err }

const (
	firstWait = 100 * time.Millisecond
	longest   = 10 * time.Second
)

// backoff says whether to try again after attempt number attempt, 1 for the first, has failed with err, and how long to wait: twice as long each time,
// by chance up to half less so that many clients do not come back together, and no less than the server asked for. A timeout is one of the http.Client's
// own: the connection may be dead, and the next one not. Whether the caller's time is up is for the caller to see.
func backoff(attempt int, err error) (wait time.Duration, again bool) {
	wait = longest
	if attempt < 8 {
		wait = min(longest, firstWait<<(attempt-1))
	}
	wait -= rand.N(wait / 2)
	var refused *Error
	if errors.As(err, &refused) {
		return max(wait, refused.RetryAfter), refused.Retryable
	}
	var lost *lostError
	return wait, errors.As(err, &lost)
}

package client

import (
	"errors"
	"math/rand/v2"
	"time"
)

// lostError is a request without a complete response: the connection was refused, or lost on the
// way. The server may have processed the request.
type lostError struct {
	err error
}

func (e *lostError) Error() string { return e.err.Error() }

func (e *lostError) Unwrap() error { return e.err }

const (
	firstWait   = 100 * time.Millisecond
	longestWait = 10 * time.Second
)

// backoff decides whether a retry follows attempt number attempt, from 1, which failed with err,
// and how long to wait before it. The wait doubles each time. Up to half of it is subtracted at
// random so that many clients do not return together; it is never less than the server asked for. A
// timeout of the http.Client is retried, since a new connection may work; backoff does not look at
// the context of the caller.
func backoff(attempt int, err error) (wait time.Duration, retry bool) {
	wait = longestWait
	if attempt < 8 {
		wait = min(longestWait, firstWait<<(attempt-1))
	}
	wait -= rand.N(wait / 2)
	var refused *Error
	if errors.As(err, &refused) {
		return max(wait, refused.RetryAfter), refused.Retryable
	}
	var lost *lostError
	return wait, errors.As(err, &lost)
}

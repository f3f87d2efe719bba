package client

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestBackoff_Waits_GrowAndRespectRetryAfter(t *testing.T) {
	for attempt := 1; attempt < 20; attempt++ {
		most := min(longestWait, firstWait<<(min(attempt, 10)-1))
		wait, retry := backoff(attempt, &Error{Retryable: true})
		if !retry || wait < most/2 || wait > most {
			t.Errorf("attempt %d: %v, %v", attempt, wait, retry)
		}
	}
	if wait, _ := backoff(1, &Error{Retryable: true, RetryAfter: time.Minute}); wait != time.Minute {
		t.Errorf("waits %v, the server asked for a minute", wait)
	}
	for _, err := range []error{&Error{}, context.Canceled, errors.New("unreadable")} {
		if _, retry := backoff(1, err); retry {
			t.Errorf("%v is retried", err)
		}
	}
	if _, retry := backoff(1, &lostError{context.DeadlineExceeded}); !retry {
		t.Error("a timeout of the http.Client is not retried")
	}
}

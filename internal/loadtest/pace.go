package loadtest

import (
	"context"
	"math/rand/v2"
	"time"
)

// Think time of the contract: how long a user waits between the end of a request and the start of the next.
const (
	thinkLeast = 500 * time.Millisecond
	thinkMost  = 1500 * time.Millisecond
)

// think draws a think time, each of the allowed ones as likely as any other.
func think(r *rand.Rand) time.Duration {
	return thinkLeast + time.Duration(r.Int64N(int64(thinkMost-thinkLeast)+1))
}

// offset is when, after the start, event number n of rate events per second is due: a user to be spawned, or a request of the open model.
// It is computed from n each time, so that nothing adds up over a long run.
func offset(n int64, rate float64) time.Duration {
	return time.Duration(float64(n) / rate * float64(time.Second))
}

// sleeper waits for moments, with one timer for all of them.
type sleeper struct {
	now   func() time.Time
	timer *time.Timer
}

func newSleeper(now func() time.Time) *sleeper {
	timer := time.NewTimer(0)
	<-timer.C
	return &sleeper{now: now, timer: timer}
}

// until waits for a moment. It reports false, at once, when ctx ends before.
func (s *sleeper) until(ctx context.Context, moment time.Time) bool {
	wait := moment.Sub(s.now())
	if wait <= 0 {
		return ctx.Err() == nil
	}
	s.timer.Reset(wait)
	select {
	case <-s.timer.C:
		return true
	case <-ctx.Done():
		s.timer.Stop()
		return false
	}
}

package loadtest

import (
	"context"
	"math/rand/v2"
	"time"
)

// Endpoint is a kind of request of the profile.
type Endpoint int

// The endpoints, in the order of reports.
const (
	Classify Endpoint = iota
	Results
	Bundle
	endpoints int = iota
)

func (e Endpoint) String() string {
	return [endpoints]string{"classify", "results", "bundle"}[e]
}

// mix is the profile of the contract: of 17 requests 10 classify, 5 submit results and 2 fetch the
// bundle, spread evenly.
const mix = "crccrcbcrccrccrcb"

// endpointAt returns the kind of request number n, from 0. Any 17 consecutive requests are the
// exact mix.
func endpointAt(n int64) Endpoint {
	switch mix[n%int64(len(mix))] {
	case 'r':
		return Results
	case 'b':
		return Bundle
	default:
		return Classify
	}
}

// Bounds of the think time: how long a user waits between the end of a request and the start of the
// next.
const (
	thinkLeast = 500 * time.Millisecond
	thinkMost  = 1500 * time.Millisecond
)

// think draws a uniformly distributed think time.
func think(r *rand.Rand) time.Duration {
	return thinkLeast + time.Duration(r.Int64N(int64(thinkMost-thinkLeast)+1))
}

// offset returns when, after the start, event number n of rate events per second is due: the start
// of a user, or a request of the open model. It is computed from n, so that rounding errors do not
// accumulate.
func offset(n int64, rate float64) time.Duration {
	return time.Duration(float64(n) / rate * float64(time.Second))
}

// sleeper waits with one reusable timer.
type sleeper struct {
	now   func() time.Time
	timer *time.Timer
}

func newSleeper(now func() time.Time) *sleeper {
	timer := time.NewTimer(0)
	<-timer.C
	return &sleeper{now: now, timer: timer}
}

// until waits for a moment. It returns false at once if ctx ends first.
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

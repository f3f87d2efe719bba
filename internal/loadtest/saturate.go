package loadtest

import (
	"context"
	"fmt"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Step is the outcome of one rate of Saturate.
type Step struct {
	Rate     float64 `json:"rate_per_s"` // offered
	Achieved float64 `json:"achieved_per_s"`
	P95      float64 `json:"p95_s"` // of classify
	Failed   int     `json:"failed"`
	Broke    string  `json:"broke,omitempty"` // why this rate failed, "" if it held
}

const (
	climb       = 1.25 // from one rate to the next
	refinements = 2    // halvings of the gap between the highest rate that held and the lowest that failed
	settle      = 2 * time.Second
)

// saturate increases the rate until one fails, then narrows the gap. It returns the highest rate
// that held.
func (e *engine) saturate(ctx context.Context) (steps []Step, ceiling float64) {
	c := e.newUserPool()
	defer c.close()
	broken, rate := 0.0, e.Rate
	for refined := 0; refined <= refinements; {
		step, whole := c.step(ctx, rate)
		if !whole {
			break
		}
		steps = append(steps, step)
		if step.Broke == "" {
			ceiling = rate
		} else {
			broken = rate
		}
		switch {
		case ceiling == 0:
			return steps, 0
		case broken == 0:
			rate *= climb
		default:
			rate = (ceiling + broken) / 2
			refined++
		}
	}
	return steps, ceiling
}

// step runs one rate. whole is false if ctx ended first.
func (c *userPool) step(ctx context.Context, rate float64) (s Step, whole bool) {
	before, began := c.recorder.snapshot(), c.Now()
	c.open(ctx, rate, c.Step)
	took := c.Now().Sub(began)
	s = c.recorder.since(before, rate, took)
	s.decide(c.P95)
	// Work that the server still has to do for this rate must not count against the next.
	whole = newSleeper(c.Now).until(ctx, c.Now().Add(settle))
	return s, whole
}

// snapshot is a copy of the counters at one moment.
type snapshot struct {
	classify *hdrhistogram.Histogram
	requests int64
	failed   int
}

func (r *recorder) snapshot() (s snapshot) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s.classify = r.total[Classify].latency.Clone()
	for e := range endpoints {
		s.requests += r.total[e].latency.TotalCount()
		s.failed += r.total[e].failed
	}
	return s
}

// since returns the difference to an earlier snapshot.
func (r *recorder) since(before snapshot, rate float64, took time.Duration) Step {
	now := r.snapshot()
	latency := difference(now.classify, before.classify)
	return Step{
		Rate:     rate,
		Achieved: float64(now.requests-before.requests) / took.Seconds(),
		P95:      seconds(latency.ValueAtPercentile(95)),
		Failed:   now.failed - before.failed,
	}
}

// decide sets Broke if the rate failed.
func (s *Step) decide(limit time.Duration) {
	switch {
	case s.Failed > 0:
		s.Broke = fmt.Sprintf("%d requests failed", s.Failed)
	case s.P95 > limit.Seconds():
		s.Broke = fmt.Sprintf("p95 %.3fs", s.P95)
	}
}

// difference returns what was recorded in now after before.
func difference(now, before *hdrhistogram.Histogram) *hdrhistogram.Histogram {
	all, old := now.Export(), before.Export()
	for i, n := range old.Counts {
		all.Counts[i] -= n
	}
	return hdrhistogram.Import(all)
}

package loadtest

import (
	"context"
	"fmt"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Step is one rate of Saturate.
type Step struct {
	Rate     float64 `json:"rate_per_s"` // offered
	Achieved float64 `json:"achieved_per_s"`
	P95      float64 `json:"p95_s"` // of classify
	Failed   int     `json:"failed"`
	Broke    string  `json:"broke,omitempty"` // why this rate does not hold, "" when it does
}

const (
	climb       = 1.25 // from one rate to the next
	refinements = 2    // halvings of the gap between the last rate that held and the first that did not
	settle      = 2 * time.Second
)

// saturate offers higher and higher rates until one does not hold, then looks closer once or twice. It returns the highest that held.
func (e *engine) saturate(ctx context.Context) (steps []Step, ceiling float64) {
	c := e.newCrew()
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

// step holds one rate. whole is false when ctx has cut it short.
func (c *crew) step(ctx context.Context, rate float64) (s Step, whole bool) {
	before, began := c.recorder.standing(), c.Now()
	c.open(ctx, rate, c.Step)
	took := c.Now().Sub(began)
	s = c.recorder.since(before, rate, took)
	s.judge(c.P95)
	// What the server still has to do for this rate must not be held against the next.
	whole = newSleeper(c.Now).until(ctx, c.Now().Add(settle))
	return s, whole
}

// standing is a copy of the counts at one moment.
type standing struct {
	classify *hdrhistogram.Histogram
	requests int64
	failed   int
}

func (r *recorder) standing() (s standing) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s.classify = r.total[Classify].latency.Clone()
	for e := range endpoints {
		s.requests += r.total[e].latency.TotalCount()
		s.failed += r.total[e].failed
	}
	return s
}

// since is what has happened after before.
func (r *recorder) since(before standing, rate float64, took time.Duration) Step {
	now := r.standing()
	latency := difference(now.classify, before.classify)
	return Step{
		Rate: rate, Achieved: float64(now.requests-before.requests) / took.Seconds(), P95: seconds(latency.ValueAtPercentile(95)),
		Failed: now.failed - before.failed,
	}
}

// judge says whether the rate held.
func (s *Step) judge(limit time.Duration) {
	switch {
	case s.Failed > 0:
		s.Broke = fmt.Sprintf("%d requests failed", s.Failed)
	case s.P95 > limit.Seconds():
		s.Broke = fmt.Sprintf("p95 %.3fs", s.P95)
	}
}

// difference is what was recorded in now and not in before, of which now is a continuation.
func difference(now, before *hdrhistogram.Histogram) *hdrhistogram.Histogram {
	all, old := now.Export(), before.Export()
	for i, n := range old.Counts {
		all.Counts[i] -= n
	}
	return hdrhistogram.Import(all)
}

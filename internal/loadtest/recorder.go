package loadtest

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// recorder counts what the virtual users see. Its methods may be called at once.
type recorder struct {
	start time.Time

	mu       sync.Mutex
	total    [endpoints]tally
	second   [endpoints]tally // since the last cut
	users    int
	failures map[Failure]int
	bundle   int64 // bytes of the largest one on the wire
	series   []Second
}

// tally is how often and how fast an endpoint answered.
type tally struct {
	latency *hdrhistogram.Histogram // microseconds
	failed  int
}

// Failure is one way in which requests failed.
type Failure struct {
	Endpoint string `json:"endpoint"`
	Reason   string `json:"reason"`
}

// FailureCount is how often requests failed in one way.
type FailureCount struct {
	Failure
	Count int `json:"count"`
}

const (
	longestLatency = int64(10 * time.Minute / time.Microsecond)
	digits         = 3  // significant ones of a latency
	maxFailures    = 50 // ways of failing that are told apart
)

func newRecorder(start time.Time) *recorder {
	r := &recorder{start: start, failures: map[Failure]int{}}
	for e := range endpoints {
		r.total[e].latency = hdrhistogram.New(1, longestLatency, digits)
		r.second[e].latency = hdrhistogram.New(1, longestLatency, digits)
	}
	return r
}

// outcome is one request that has come to its end.
type outcome struct {
	endpoint Endpoint
	latency  time.Duration // from the intended start to the last byte, or to the failure
	size     int64         // of the body on the wire
	err      error
}

func (r *recorder) record(o outcome) {
	latency := min(max(o.latency.Microseconds(), 1), longestLatency)
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, t := range []*tally{&r.total[o.endpoint], &r.second[o.endpoint]} {
		_ = t.latency.RecordValue(latency) // it is within the bounds
		if o.err != nil {
			t.failed++
		}
	}
	if o.endpoint == Bundle && o.err == nil {
		r.bundle = max(r.bundle, o.size)
	}
	if o.err != nil {
		r.fail(Failure{o.endpoint.String(), o.err.Error()})
	}
}

func (r *recorder) fail(f Failure) {
	if _, known := r.failures[f]; !known && len(r.failures) >= maxFailures {
		f.Reason = "other reasons"
	}
	r.failures[f]++
}

// joined notes that another user is at work.
func (r *recorder) joined() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.users++
}

// cut ends a second: it returns what happened since the last one.
func (r *recorder) cut(now time.Time) Second {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := Second{At: now.Sub(r.start).Seconds(), Users: r.users, Endpoints: map[string]Latency{}}
	for e := range endpoints {
		t := &r.second[e]
		s.Requests += int(t.latency.TotalCount())
		s.Failed += t.failed
		if t.latency.TotalCount() > 0 {
			s.Endpoints[Endpoint(e).String()] = latencyOf(t.latency)
		}
		s.FailedSoFar += r.total[e].failed
		t.latency.Reset()
		t.failed = 0
	}
	r.series = append(r.series, s)
	return s
}

// finish ends the last second, which is rarely a whole one.
func (r *recorder) finish(now time.Time) {
	r.mu.Lock()
	rest := int64(0)
	for e := range endpoints {
		rest += r.second[e].latency.TotalCount()
	}
	r.mu.Unlock()
	if rest > 0 {
		r.cut(now)
	}
}

// reasons lists how requests failed, the most frequent way first.
func (r *recorder) reasons() []FailureCount {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := make([]FailureCount, 0, len(r.failures))
	for f, n := range maps.All(r.failures) {
		list = append(list, FailureCount{f, n})
	}
	slices.SortFunc(list, func(a, b FailureCount) int {
		return cmp.Or(-cmp.Compare(a.Count, b.Count), cmp.Compare(a.Endpoint, b.Endpoint), cmp.Compare(a.Reason, b.Reason))
	})
	return list
}

package loadtest

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// recorder collects the statistics of a run. It is safe for concurrent use.
type recorder struct {
	start time.Time

	mu       sync.Mutex
	total    [endpoints]tally
	second   [endpoints]tally // since the last cut
	users    int
	failures map[Failure]int
	bundle   int64 // size on the wire of the largest bundle
	series   []Second
}

// tally is the latencies and failures of an endpoint.
type tally struct {
	latency *hdrhistogram.Histogram // microseconds
	failed  int
}

// Failure is a reason for which requests failed.
type Failure struct {
	Endpoint string `json:"endpoint"`
	Reason   string `json:"reason"`
}

// FailureCount is the number of requests that failed for a reason.
type FailureCount struct {
	Failure
	Count int `json:"count"`
}

const (
	longestLatency = int64(10 * time.Minute / time.Microsecond)
	digits         = 3  // significant ones of a latency
	maxFailures    = 50 // distinct failures; all others count as one
)

func newRecorder(start time.Time) *recorder {
	r := &recorder{start: start, failures: map[Failure]int{}}
	for e := range endpoints {
		r.total[e].latency = hdrhistogram.New(1, longestLatency, digits)
		r.second[e].latency = hdrhistogram.New(1, longestLatency, digits)
	}
	return r
}

// outcome is the outcome of one request.
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

// joined counts a user who has started.
func (r *recorder) joined() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.users++
}

// cut closes a second and returns its statistics.
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

// finish closes the last, usually partial, second.
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

// reasons lists the failures, the most frequent first.
func (r *recorder) reasons() []FailureCount {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := make([]FailureCount, 0, len(r.failures))
	for f, n := range maps.All(r.failures) {
		list = append(list, FailureCount{f, n})
	}
	slices.SortFunc(list, func(a, b FailureCount) int {
		return cmp.Or(
			-cmp.Compare(a.Count, b.Count), cmp.Compare(a.Endpoint, b.Endpoint), cmp.Compare(a.Reason, b.Reason),
		)
	})
	return list
}

// Latency is the latency of requests in seconds, from the intended start of each to its last byte.
type Latency struct {
	P50  float64 `json:"p50_s"`
	P90  float64 `json:"p90_s"`
	P95  float64 `json:"p95_s"`
	P99  float64 `json:"p99_s"`
	P999 float64 `json:"p999_s"`
	Max  float64 `json:"max_s"`
	Mean float64 `json:"mean_s"`
}

// Second is the statistics of one second of the run.
type Second struct {
	At          float64            `json:"at_s"` // its end, in seconds since the start
	Users       int                `json:"users"`
	Requests    int                `json:"requests"`
	Failed      int                `json:"failed"`
	FailedSoFar int                `json:"failed_so_far"`
	Endpoints   map[string]Latency `json:"endpoints"` // with at least one request
}

// Point is one step of a distribution: Share of the requests took at most Latency seconds.
type Point struct {
	Share   float64 `json:"share"`
	Latency float64 `json:"latency_s"`
}

func latencyOf(h *hdrhistogram.Histogram) Latency {
	if h.TotalCount() == 0 {
		return Latency{}
	}
	at := h.ValueAtPercentilesSlice([]float64{50, 90, 95, 99, 99.9})
	return Latency{
		P50: seconds(at[0]), P90: seconds(at[1]), P95: seconds(at[2]), P99: seconds(at[3]), P999: seconds(at[4]),
		Max: seconds(h.Max()), Mean: h.Mean() / float64(time.Second/time.Microsecond),
	}
}

// ticksPerHalving is the resolution of a distribution: the number of points each time the remaining
// share halves.
const ticksPerHalving = 5

// distributionOf returns the whole distribution.
func distributionOf(h *hdrhistogram.Histogram) []Point {
	if h.TotalCount() == 0 {
		return nil
	}
	brackets := h.CumulativeDistributionWithTicks(ticksPerHalving)
	points := make([]Point, 0, len(brackets))
	for _, b := range brackets {
		points = append(points, Point{Share: b.Quantile / 100, Latency: seconds(b.ValueAt)})
	}
	return points
}

// seconds converts microseconds.
func seconds(microseconds int64) float64 {
	return float64(microseconds) / float64(time.Second/time.Microsecond)
}

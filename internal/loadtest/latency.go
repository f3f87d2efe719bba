package loadtest

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Latency is how long requests took, in seconds, from the moment at which each was meant to start to its last byte.
type Latency struct {
	P50  float64 `json:"p50_s"`
	P90  float64 `json:"p90_s"`
	P95  float64 `json:"p95_s"`
	P99  float64 `json:"p99_s"`
	P999 float64 `json:"p999_s"`
	Max  float64 `json:"max_s"`
	Mean float64 `json:"mean_s"`
}

// Second is what happened between two ticks of the progress.
type Second struct {
	At          float64            `json:"at_s"` // its end, since the start
	Users       int                `json:"users"`
	Requests    int                `json:"requests"`
	Failed      int                `json:"failed"`
	FailedSoFar int                `json:"failed_so_far"`
	Endpoints   map[string]Latency `json:"endpoints"` // those that answered
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

// ticksPerHalving is how finely a distribution is told: this many steps each time that the share which is still to come halves.
const ticksPerHalving = 5

// distributionOf returns the distribution up to the last request.
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

// seconds is a number of microseconds.
func seconds(microseconds int64) float64 {
	return float64(microseconds) / float64(time.Second/time.Microsecond)
}

package telemetry

import (
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"github.com/prometheus/client_golang/prometheus"
)

// capped is a vector whose one label has unbounded values. Only the most recently used values keep
// a series.
type capped[M any] struct {
	mu     sync.Mutex
	recent *simplelru.LRU[string, M]
	open   func(value string) M
}

func newCapped[M any](limit int, vec *prometheus.MetricVec, open func(value string) M) *capped[M] {
	drop := func(value string, _ M) { vec.DeleteLabelValues(value) }
	recent, err := simplelru.NewLRU(limit, drop)
	if err != nil {
		panic(err) // only if limit is below 1, which Validate excludes
	}
	return &capped[M]{recent: recent, open: open}
}

// use calls f with the series of value. It holds the lock during f, so that f never observes into a
// dropped series.
func (c *capped[M]) use(value string, f func(M)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	series, ok := c.recent.Get(value)
	if !ok {
		series = c.open(value)
		c.recent.Add(value, series)
	}
	f(series)
}

package telemetry

import (
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"github.com/prometheus/client_golang/prometheus"
)

// capped is a vector with one label of unbounded values, of which only the most recently used keep a series.
type capped[M any] struct {
	mu     sync.Mutex
	recent *simplelru.LRU[string, M]
	open   func(value string) M
}

func newCapped[M any](limit int, vec *prometheus.MetricVec, open func(value string) M) *capped[M] {
	drop := func(value string, _ M) { vec.DeleteLabelValues(value) }
	recent, err := simplelru.NewLRU(limit, drop)
	if err != nil {
		panic(err) // only for a limit below 1, which Validate and the default exclude
	}
	return &capped[M]{recent: recent, open: open}
}

// use calls f with the series of value. The lock covers f, so that no observation goes to a series just dropped.
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

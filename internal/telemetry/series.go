package telemetry

import (
	"maps"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// series caches the children of a vector by key, so that an observation need not hash labels or
// format numbers. A lookup reads an immutable map, which is replaced when a child is used for the
// first time. Like labels, keys must be few.
type series[K comparable] struct {
	known atomic.Pointer[map[K]prometheus.Observer]
	mu    sync.Mutex // guards the replacement of known
	open  func(K) prometheus.Observer
}

func newSeries[K comparable](open func(K) prometheus.Observer) *series[K] {
	s := &series[K]{open: open}
	s.known.Store(&map[K]prometheus.Observer{})
	return s
}

func (s *series[K]) of(key K) prometheus.Observer {
	if o, ok := (*s.known.Load())[key]; ok {
		return o
	}
	return s.add(key)
}

func (s *series[K]) add(key K) prometheus.Observer {
	s.mu.Lock()
	defer s.mu.Unlock()
	was := *s.known.Load()
	if o, ok := was[key]; ok {
		return o
	}
	now := maps.Clone(was)
	now[key] = s.open(key)
	s.known.Store(&now)
	return now[key]
}

// request is the key of a series of http_request_duration_seconds.
type request struct {
	method, endpoint string
	status           int
}

func requestSeries(vec *prometheus.HistogramVec) *series[request] {
	return newSeries(func(r request) prometheus.Observer {
		return vec.WithLabelValues(r.method, r.endpoint, strconv.Itoa(r.status))
	})
}

func labelSeries(vec *prometheus.HistogramVec) *series[string] {
	return newSeries(func(value string) prometheus.Observer { return vec.WithLabelValues(value) })
}

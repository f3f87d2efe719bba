package telemetry

import (
	"maps"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// series finds the child of a vector without hashing labels or writing numbers: a look into a map that is replaced, not changed, when
// a child is used for the first time. Keys must be few, as labels must be.
type series[K comparable] struct {
	known atomic.Pointer[map[K]prometheus.Observer]
	mu    sync.Mutex // held to replace known
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

// request is what the series of http_request_duration_seconds are told apart by.
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

package telemetry

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Sources are functions that a scrape calls for the metrics that nobody pushes. They must return
// immediately, from memory. A nil function has no series.
type Sources struct {
	Pools       func() []Pool
	Queues      func() []Queue
	Revocations func() (size int, renewed time.Time)
	DataFolder  func() (free, size uint64, ok bool)
}

// Pool is the state of a pool of database connections.
type Pool struct {
	Name   string
	InUse  int
	Idle   int
	Max    int
	Waits  int64
	Waited time.Duration
}

// Queue is the number of entries that wait for the commit before their own.
type Queue struct {
	Name  string
	Depth int
}

// Watch makes later scrapes call s. It replaces the sources of an earlier call.
func (m *Metrics) Watch(s Sources) {
	m.sources.current.Store(&s)
	if s.Queues == nil {
		return
	}
	for _, q := range s.Queues() {
		m.merging.groups.of(q.Name) // a rate needs a zero before the first commit
	}
}

// sources collects the metrics of the current Sources.
type sources struct {
	current                                     atomic.Pointer[Sources]
	connections, limit, waits, waited           *prometheus.Desc
	depth, revoked, renewed, diskFree, diskSize *prometheus.Desc
}

func newSources() *sources {
	describe := prometheus.NewDesc
	return &sources{
		connections: describe("db_pool_connections", "Open database connections by pool; state is in_use or idle. "+
			"All in use for a long time means that queries are slow or the pool is too small.",
			[]string{"pool", "state"}, nil),
		limit: describe("db_pool_max_connections", "Maximum number of connections of a pool.", []string{"pool"}, nil),
		waits: describe("db_pool_waits_total", "Number of times that all connections of a pool were in use. "+
			"The pool writer of SQLite has one connection, and its waiters share the next commit.",
			[]string{"pool"}, nil),
		waited: describe("db_pool_wait_seconds_total", "Total time spent waiting for a connection of the pool.",
			[]string{"pool"}, nil),
		depth: describe("commit_queue_depth", "Entries that wait for the commit before their own: submissions, "+
			"classifications, and transactions of SQLite's writer. "+
			"It rises when the database is slower than the requests.", []string{"queue"}, nil),
		revoked: describe("token_revocations", "Revoked tokens that this node knows.", nil, nil),
		renewed: describe("token_revocations_renewed_timestamp_seconds", "Last update of the revoked tokens. "+
			"They are updated every half second; a node that cannot do so is not ready.", nil, nil),
		diskFree: describe("data_folder_free_bytes", "Free bytes on the file system of the data folder.", nil, nil),
		diskSize: describe("data_folder_size_bytes", "Size of the file system of the data folder.", nil, nil),
	}
}

// Describe is part of prometheus.Collector.
func (s *sources) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		s.connections, s.limit, s.waits, s.waited, s.depth, s.revoked, s.renewed, s.diskFree, s.diskSize,
	} {
		to <- d
	}
}

// Collect is part of prometheus.Collector.
func (s *sources) Collect(to chan<- prometheus.Metric) {
	current := s.current.Load()
	if current == nil {
		return
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	if current.Pools != nil {
		s.collectPools(to, gauge, current.Pools())
	}
	if current.Queues != nil {
		for _, q := range current.Queues() {
			gauge(s.depth, float64(q.Depth), q.Name)
		}
	}
	if current.Revocations != nil {
		size, renewed := current.Revocations()
		gauge(s.revoked, float64(size))
		gauge(s.renewed, seconds(renewed))
	}
	if current.DataFolder != nil {
		if free, size, ok := current.DataFolder(); ok {
			gauge(s.diskFree, float64(free))
			gauge(s.diskSize, float64(size))
		}
	}
}

func (s *sources) collectPools(
	to chan<- prometheus.Metric, gauge func(*prometheus.Desc, float64, ...string), pools []Pool,
) {
	for _, p := range pools {
		gauge(s.connections, float64(p.InUse), p.Name, "in_use")
		gauge(s.connections, float64(p.Idle), p.Name, "idle")
		gauge(s.limit, float64(p.Max), p.Name)
		to <- prometheus.MustNewConstMetric(s.waits, prometheus.CounterValue, float64(p.Waits), p.Name)
		to <- prometheus.MustNewConstMetric(s.waited, prometheus.CounterValue, p.Waited.Seconds(), p.Name)
	}
}

// seconds returns t in seconds since 1970, 0 for the zero time.
func seconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMicro()) / 1e6
}

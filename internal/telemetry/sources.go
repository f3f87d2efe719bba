package telemetry

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Sources are what a scrape asks for the metrics that nobody pushes. They must answer at once, from memory; nil ones have no series.
type Sources struct {
	Pools       func() []Pool
	Queues      func() []Queue
	Revocations func() (size int, renewed time.Time)
	DataFolder  func() (free, size uint64, ok bool)
}

// Pool is a set of connections to the database.
type Pool struct {
	Name   string
	InUse  int
	Idle   int
	Max    int
	Waits  int64
	Waited time.Duration
}

// Queue is work that waits for the commit before its own.
type Queue struct {
	Name  string
	Depth int
}

// Watch has every scrape from now on ask s, in place of what it asked before.
func (m *Metrics) Watch(s Sources) {
	m.sources.current.Store(&s)
	if s.Queues == nil {
		return
	}
	for _, q := range s.Queues() {
		m.merging.groups.of(q.Name) // a rate needs the zero before the first
	}
}

// sources is the collector of what Watch was given.
type sources struct {
	current                                     atomic.Pointer[Sources]
	connections, most, waits, waited            *prometheus.Desc
	depth, revoked, renewed, diskFree, diskSize *prometheus.Desc
}

func newSources() *sources {
	describe := prometheus.NewDesc
	return &sources{
		connections: describe("db_pool_connections", "Open database connections by pool; state is in_use or idle. All in use for long: queries are slow, or the pool is small.", []string{"pool", "state"}, nil),
		most:        describe("db_pool_max_connections", "Most connections that a pool may open.", []string{"pool"}, nil),
		waits:       describe("db_pool_waits_total", "Times that all connections of a pool were in use when one was wanted. The pool writer of SQLite has one connection, and its waiters share the next commit.", []string{"pool"}, nil),
		waited:      describe("db_pool_wait_seconds_total", "Time spent waiting for a connection of the pool, over all waiters.", []string{"pool"}, nil),
		depth:       describe("commit_queue_depth", "Work that waits for the commit before its own: submissions of results, classifications, and transactions of SQLite's writer. It rises when the disk or the database is slower than what arrives.", []string{"queue"}, nil),
		revoked:     describe("token_revocations", "Revocations in force that this node refuses tokens by.", nil, nil),
		renewed:     describe("token_revocations_renewed_timestamp_seconds", "When this node last knew the revocations of all nodes. It is renewed every half second; a node that cannot is not ready.", nil, nil),
		diskFree:    describe("data_folder_free_bytes", "Bytes that are free on the file system of the data folder.", nil, nil),
		diskSize:    describe("data_folder_size_bytes", "Size of the file system of the data folder.", nil, nil),
	}
}

// Describe is part of prometheus.Collector.
func (s *sources) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{s.connections, s.most, s.waits, s.waited, s.depth, s.revoked, s.renewed, s.diskFree, s.diskSize} {
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

func (s *sources) collectPools(to chan<- prometheus.Metric, gauge func(*prometheus.Desc, float64, ...string), pools []Pool) {
	for _, p := range pools {
		gauge(s.connections, float64(p.InUse), p.Name, "in_use")
		gauge(s.connections, float64(p.Idle), p.Name, "idle")
		gauge(s.most, float64(p.Max), p.Name)
		to <- prometheus.MustNewConstMetric(s.waits, prometheus.CounterValue, float64(p.Waits), p.Name)
		to <- prometheus.MustNewConstMetric(s.waited, prometheus.CounterValue, p.Waited.Seconds(), p.Name)
	}
}

// seconds is a time as Prometheus keeps it, 0 for the zero time.
func seconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMicro()) / 1e6
}

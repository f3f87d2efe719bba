package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// merging holds the metrics of merged results and of the work that they leave for people.
type merging struct {
	sizes     *prometheus.HistogramVec
	groups    *series[string] // of sizes, by queue
	changes   *prometheus.CounterVec
	replays   prometheus.Counter
	conflicts prometheus.Gauge
	gaps      prometheus.Gauge
	counted   prometheus.Gauge
}

const sameOnEveryNode = "Every node reports the same value, so aggregate with max."

func newMerging() *merging {
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
	}
	m := &merging{
		sizes: prometheus.NewHistogramVec(native(prometheus.HistogramOpts{
			Name:    "commit_group_size",
			Help:    "Transactions that shared one commit, by queue. Groups grow under load, which keeps latency low.",
			Buckets: []float64{1, 2, 4, 8, 16, 32, 64, 128, 256, 512},
		}), []string{"queue"}),
		changes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "results_changes_total",
			Help: "Changes of results by outcome: applied, superseded (applied, then replaced by the same writer), " +
				"duplicate (already known), late (quarantined for a completed session), rejected (with a reason). " +
				"Many rejected changes mean a faulty client.",
		}, []string{"status"}),
		replays: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "idempotency_replays_total",
			Help: "Requests answered with the stored response of their Idempotency-Key. " +
				"Many replays mean that responses do not reach clients, which then retry.",
		}),
		conflicts: gauge("crdt_conflicts_open",
			"Open conflicts of sessions that are not completed, in the whole database. "+sameOnEveryNode),
		gaps: gauge("crdt_actor_gaps",
			"Clients with a missing batch in sessions that are not completed, in the whole database. "+sameOnEveryNode),
		counted: gauge("crdt_backlog_counted_timestamp_seconds",
			"Time of the last count of crdt_conflicts_open and crdt_actor_gaps, every 15 seconds; 0 before the first."),
	}
	m.groups = labelSeries(m.sizes)
	for _, status := range ChangeStatuses() {
		m.changes.WithLabelValues(status) // a rate needs a zero before the first change
	}
	return m
}

func (m *merging) all() []prometheus.Collector {
	return []prometheus.Collector{m.sizes, m.changes, m.replays, m.conflicts, m.gaps, m.counted}
}

// ChangeStatuses returns the values of status in results_changes_total; anything else is Other.
func ChangeStatuses() []string {
	return []string{"applied", "duplicate", "superseded", "rejected", "late"}
}

// GroupCommitted reports one commit of size transactions. queue is one of a fixed set of names.
func (m *Metrics) GroupCommitted(queue string, size int) {
	m.merging.groups.of(queue).Observe(float64(size))
}

// ChangesSettled reports the outcome of n changes.
func (m *Metrics) ChangesSettled(status string, n int) {
	m.merging.changes.WithLabelValues(known(status, ChangeStatuses())).Add(float64(n))
}

// Replayed reports one request answered with the stored response of its Idempotency-Key.
func (m *Metrics) Replayed() { m.merging.replays.Inc() }

// BacklogCounted reports the open conflicts and the gaps of the whole database at a time.
func (m *Metrics) BacklogCounted(conflicts, gaps int64, at time.Time) {
	m.merging.conflicts.Set(float64(conflicts))
	m.merging.gaps.Set(float64(gaps))
	m.merging.counted.Set(seconds(at))
}

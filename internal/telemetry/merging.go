package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// merging are the metrics of results on their way into the log and of what they leave for people to do.
type merging struct {
	sizes     *prometheus.HistogramVec
	groups    *series[string] // of sizes, by queue
	changes   *prometheus.CounterVec
	replays   prometheus.Counter
	conflicts prometheus.Gauge
	gaps      prometheus.Gauge
	counted   prometheus.Gauge
}

func newMerging() *merging {
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
	}
	m := &merging{
		sizes: prometheus.NewHistogramVec(native(prometheus.HistogramOpts{
			Name:    "commit_group_size",
			Help:    "How much work shared one commit, by queue. Groups grow under load, which is what keeps the latency low.",
			Buckets: []float64{1, 2, 4, 8, 16, 32, 64, 128, 256, 512},
		}), []string{"queue"}),
		changes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "results_changes_total",
			Help: "Changes of results by what became of them: applied, superseded (applied and covered by a later one of the same writer), " +
				"duplicate (known already), late (kept for a completed session), rejected (answered with a reason). Many rejected: a client is faulty.",
		}, []string{"status"}),
		replays: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "idempotency_replays_total",
			Help: "Requests answered with what was stored under their Idempotency-Key. Many of them: answers do not reach clients, who try again.",
		}),
		conflicts: gauge("crdt_conflicts_open", "Conflicts open in sessions that are not completed, over the whole database: every node shows the same, so take the maximum."),
		gaps:      gauge("crdt_actor_gaps", "Clients of which a batch is missing, in sessions that are not completed, over the whole database: every node shows the same, so take the maximum."),
		counted:   gauge("crdt_backlog_counted_timestamp_seconds", "When crdt_conflicts_open and crdt_actor_gaps were last counted, every 15 seconds; 0 before the first time."),
	}
	m.groups = labelSeries(m.sizes)
	for _, status := range ChangeStatuses() {
		m.changes.WithLabelValues(status) // a rate needs the zero before the first
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

// GroupCommitted reports that one commit carried size pieces of work of the queue, which is one of a fixed set.
func (m *Metrics) GroupCommitted(queue string, size int) {
	m.merging.groups.of(queue).Observe(float64(size))
}

// ChangesSettled reports what became of n changes.
func (m *Metrics) ChangesSettled(status string, n int) {
	m.merging.changes.WithLabelValues(known(status, ChangeStatuses())).Add(float64(n))
}

// Replayed reports one request that was answered with what was stored under its Idempotency-Key.
func (m *Metrics) Replayed() { m.merging.replays.Inc() }

// BacklogCounted reports what was open in the whole database at a time.
func (m *Metrics) BacklogCounted(conflicts, gaps int64, at time.Time) {
	m.merging.conflicts.Set(float64(conflicts))
	m.merging.gaps.Set(float64(gaps))
	m.merging.counted.Set(seconds(at))
}

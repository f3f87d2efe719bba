package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// shedForMemory is the reason of requests that need too much memory. The other reasons are names of
// queues.
const shedForMemory = "memory"

func requestsShed() *prometheus.CounterVec {
	shed := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "requests_shed_total",
		Help: "Requests refused with 503 before processing, by the overloaded resource.",
	}, []string{"reason"})
	shed.WithLabelValues(shedForMemory) // 0 instead of absent
	return shed
}

// RequestShed reports a request refused because of load. reason is the name of a queue, or
// "memory".
func (m *Metrics) RequestShed(reason string) { m.shed.WithLabelValues(reason).Inc() }

// Queue adds a metric for the queueing time of a queue: how long its first entry has been waiting.
// It fails if the name is taken.
func (m *Metrics) Queue(name string, depth func() time.Duration) error {
	m.shed.WithLabelValues(name)
	return m.registry.Register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name:        "queue_depth_seconds",
		Help:        "Time that the first entry of the queue has been waiting.",
		ConstLabels: prometheus.Labels{"queue": name},
	}, func() float64 { return depth().Seconds() }))
}

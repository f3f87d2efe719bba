package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// shedForMemory is the reason of a request that would take too much memory; the others are names of queues.
const shedForMemory = "memory"

func requestsShed() *prometheus.CounterVec {
	shed := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "requests_shed_total",
		Help: "Requests that were refused with 503 for want of room, before anything of them was taken, by what there was too much of.",
	}, []string{"reason"})
	shed.WithLabelValues(shedForMemory) // what has not happened yet is 0, and not absent
	return shed
}

// RequestShed reports a request that was refused because of load. reason is the name of a queue, or "memory".
func (m *Metrics) RequestShed(reason string) { m.shed.WithLabelValues(reason).Inc() }

// Queue shows from now on how deep the queue of that name is: how long the first in it has been waiting. A name is given once.
func (m *Metrics) Queue(name string, depth func() time.Duration) error {
	m.shed.WithLabelValues(name)
	return m.registry.Register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name:        "queue_depth_seconds",
		Help:        "How long the first in the queue has been waiting.",
		ConstLabels: prometheus.Labels{"queue": name},
	}, func() float64 { return depth().Seconds() }))
}

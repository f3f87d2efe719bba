package telemetry

import "github.com/prometheus/client_golang/prometheus"

// supervision holds the metrics of supervised services. Their names are a fixed set.
type supervision struct {
	up       *prometheus.GaugeVec
	restarts *prometheus.CounterVec
}

func newSupervision() supervision {
	return supervision{
		up: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "supervised_service_up", Help: "1 while a service of this process runs, 0 while it does not.",
		}, []string{"service"}),
		restarts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "supervised_service_restarts_total", Help: "Number of restarts of a service after a failure.",
		}, []string{"service"}),
	}
}

func (s supervision) register(r prometheus.Registerer) { r.MustRegister(s.up, s.restarts) }

// ServiceUp reports that a service has started or stopped running.
func (m *Metrics) ServiceUp(service string, up bool) {
	value := 0.0
	if up {
		value = 1
	}
	m.supervision.up.WithLabelValues(service).Set(value)
	m.supervision.restarts.WithLabelValues(service).Add(0) // a rate needs a zero before the first restart
}

// ServiceRestarted reports one restart of a service after a failure.
func (m *Metrics) ServiceRestarted(service string) {
	m.supervision.restarts.WithLabelValues(service).Inc()
}

package telemetry

import "github.com/prometheus/client_golang/prometheus"

// supervision is what is counted of the services of a process. Their names are a fixed set of the program's own.
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
			Name: "supervised_service_restarts_total", Help: "How often a service was started again after it had failed.",
		}, []string{"service"}),
	}
}

func (s supervision) register(r prometheus.Registerer) { r.MustRegister(s.up, s.restarts) }

// ServiceUp reports that a service runs, or does not any more.
func (m *Metrics) ServiceUp(service string, up bool) {
	value := 0.0
	if up {
		value = 1
	}
	m.supervision.up.WithLabelValues(service).Set(value)
	m.supervision.restarts.WithLabelValues(service).Add(0) // so that the first restart is an increase
}

// ServiceRestarted reports that a service was started again after it had failed.
func (m *Metrics) ServiceRestarted(service string) {
	m.supervision.restarts.WithLabelValues(service).Inc()
}

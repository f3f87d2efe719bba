package app

import (
	"time"

	"firemode/internal/httpapi"
	"firemode/internal/httpkit"
	"firemode/internal/telemetry"
)

// queues says how deep each queue of writes is, by the names that routes give.
func (s *Services) queues() map[string]func() time.Duration {
	return map[string]func() time.Duration{
		httpkit.QueueDatabase:        s.Store.Depth,
		httpapi.QueueResults:         s.Sessions.Depth,
		httpapi.QueueClassifications: s.Catalogue.Depth,
	}
}

// showQueues makes a metric of each.
func (s *Services) showQueues(m *telemetry.Metrics) error {
	for name, depth := range s.queues() {
		if err := m.Queue(name, depth); err != nil {
			return err
		}
	}
	return nil
}

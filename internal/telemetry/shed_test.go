package telemetry

import (
	"testing"
	"time"
)

func TestQueue_DepthAndShedRequestsShown(t *testing.T) {
	m := newMetrics(t, Config{})
	depth := 1500 * time.Millisecond
	for name, f := range map[string]func() time.Duration{
		"results":  func() time.Duration { return depth },
		"database": func() time.Duration { return 0 },
	} {
		if err := m.Queue(name, f); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Queue("results", func() time.Duration { return 0 }); err == nil {
		t.Error("a queue was given twice")
	}
	depth *= 2 // it is asked when it is scraped
	shown := map[string]float64{}
	for _, s := range family(t, m, "queue_depth_seconds").GetMetric() {
		shown[labels(s)] = s.GetGauge().GetValue()
	}
	if len(shown) != 2 || shown["queue=results"] != 3 || shown["queue=database"] != 0 {
		t.Errorf("depths %v", shown)
	}
	m.RequestShed("results")
	m.RequestShed("results")
	m.RequestShed("memory")
	shed := map[string]float64{}
	for _, s := range family(t, m, "requests_shed_total").GetMetric() {
		shed[labels(s)] = s.GetCounter().GetValue()
	}
	if len(shed) != 3 || shed["reason=results"] != 2 || shed["reason=memory"] != 1 || shed["reason=database"] != 0 {
		t.Errorf("shed %v", shed)
	}
}

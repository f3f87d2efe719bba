package telemetry

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"
)

// values are the labels and values of a counter's or gauge's series.
func values(t *testing.T, m *Metrics, name string) string {
	t.Helper()
	var all []string
	for _, s := range family(t, m, name).GetMetric() {
		all = append(all, fmt.Sprintf("%s:%g", labels(s), s.GetCounter().GetValue()+s.GetGauge().GetValue()))
	}
	return strings.Join(all, " ")
}

// Names, types and help follow what promtool asks for: base units, _total on counters alone, a help for every metric.
func TestNamesFollowTheConventions(t *testing.T) {
	m := newMetrics(t, Config{})
	m.ObserveRequest(http.MethodGet, "/health", 200, time.Millisecond)
	m.ConflictArose("123")
	m.Synced("web", time.Millisecond)
	m.BundleSent("123", 4096)
	m.GroupCommitted("results", 2)
	m.Watch(Sources{
		Pools:       func() []Pool { return []Pool{{Name: "all"}} },
		Queues:      func() []Queue { return []Queue{{Name: "results"}} },
		Revocations: func() (int, time.Time) { return 0, time.Time{} },
		DataFolder:  func() (uint64, uint64, bool) { return 1, 1, true },
	})
	problems, err := testutil.GatherAndLint(m.registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// Every classic histogram has an edge at each bound that something is promised at, and a native one beside it.
func TestHistogramsHaveTheEdgesOfThePromises(t *testing.T) {
	m := newMetrics(t, Config{})
	m.ObserveRequest(http.MethodPost, "/v1/classify", 200, time.Millisecond)
	m.Synced("web", time.Millisecond)
	m.BundleSent("123", 4096)
	for name, edge := range map[string]float64{
		"http_request_duration_seconds": 0.3, "sync_latency_seconds": 0.3, "offline_bundle_bytes": 50e6,
	} {
		h := family(t, m, name).GetMetric()[0].GetHistogram()
		if !hasEdge(h, edge) {
			t.Errorf("%s has no bucket up to %v", name, edge)
		}
		if len(h.GetPositiveSpan()) == 0 {
			t.Errorf("%s has no native histogram", name)
		}
	}
}

func hasEdge(h *dto.Histogram, edge float64) bool {
	for _, b := range h.GetBucket() {
		if b.GetUpperBound() == edge {
			return true
		}
	}
	return false
}

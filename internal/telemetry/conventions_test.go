package telemetry

import (
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"
)

// The rules are those of promtool: base units, _total on counters only, a help text for every
// metric.
func TestMetrics_NamesFollowConventions(t *testing.T) {
	m := populated(t)
	problems, err := testutil.GatherAndLint(m.registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// Every classic histogram has a bucket at each documented limit, and a native histogram beside it.
func TestHistograms_BucketAtEachLimit(t *testing.T) {
	m := populated(t)
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

// docs/observability.md has exactly one row for each metric of FireMode.
func TestMetrics_EachDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/observability.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## Metrics\n")
	section, _, _ = strings.Cut(section, "\n## ")
	documented := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| ([a-z]+)").FindAllStringSubmatch(section, -1) {
		documented[row[1]] = row[2]
	}
	families, err := populated(t).registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		name, kind := f.GetName(), strings.ToLower(f.GetType().String())
		if prefix, _, _ := strings.Cut(name, "_"); slices.Contains([]string{"go", "process", "promhttp"}, prefix) {
			continue
		}
		if documented[name] != kind {
			t.Errorf("%s is a %s; the documentation says %q", name, kind, documented[name])
		}
		delete(documented, name)
	}
	for name := range documented {
		t.Errorf("%s is documented and is not there", name)
	}
}

// values returns the labels and values of the series of a counter or gauge.
func values(t *testing.T, m *Metrics, name string) string {
	t.Helper()
	var all []string
	for _, s := range family(t, m, name).GetMetric() {
		all = append(all, fmt.Sprintf("%s:%g", labels(s), s.GetCounter().GetValue()+s.GetGauge().GetValue()))
	}
	return strings.Join(all, " ")
}

// populated returns metrics with a series of each kind.
func populated(t *testing.T) *Metrics {
	t.Helper()
	m := newMetrics(t, Config{})
	m.ObserveRequest(t.Context(), http.MethodGet, "/health", 200, time.Millisecond)
	m.ConflictArose("123")
	m.Synced(t.Context(), "web", time.Millisecond)
	m.BundleSent(t.Context(), "123", 4096)
	m.GroupCommitted("results", 2)
	m.ServiceUp("api", true)
	if err := m.Queue("database", func() time.Duration { return 0 }); err != nil {
		t.Fatal(err)
	}
	m.Watch(Sources{
		Pools:       func() []Pool { return []Pool{{Name: "all"}} },
		Queues:      func() []Queue { return []Queue{{Name: "results"}} },
		Revocations: func() (int, time.Time) { return 0, time.Time{} },
		DataFolder:  func() (uint64, uint64, bool) { return 1, 1, true },
	})
	return m
}

func hasEdge(h *dto.Histogram, edge float64) bool {
	for _, b := range h.GetBucket() {
		if b.GetUpperBound() == edge {
			return true
		}
	}
	return false
}

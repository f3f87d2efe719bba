package telemetry

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"
)

func TestMetrics_DocumentedNamesAndLabels(t *testing.T) {
	m := newMetrics(t, Config{})
	m.ObserveRequest(t.Context(), http.MethodPost, "/v1/classify", 200, 299*time.Millisecond)
	m.ConflictArose("123")
	m.Synced(t.Context(), "web", time.Millisecond)
	m.BundleSent(t.Context(), "123", 4096)
	m.ConnState(nil, http.StateNew)
	for _, want := range []struct {
		name   string
		kind   dto.MetricType
		labels string
	}{
		{"http_request_duration_seconds", dto.MetricType_HISTOGRAM, "endpoint=/v1/classify,method=POST,status=200"},
		{"crdt_conflicts_total", dto.MetricType_COUNTER, "session_id=123"},
		{"sync_latency_seconds", dto.MetricType_HISTOGRAM, "client_type=web"},
		{"offline_bundle_bytes", dto.MetricType_HISTOGRAM, "session_id=123"},
		{"active_connections", dto.MetricType_GAUGE, ""},
	} {
		f := family(t, m, want.name)
		if f == nil || len(f.GetMetric()) != 1 {
			t.Fatalf("%s: want one series, got %v", want.name, f)
		}
		if f.GetType() != want.kind {
			t.Errorf("%s is a %v, want %v", want.name, f.GetType(), want.kind)
		}
		if got := labels(f.GetMetric()[0]); got != want.labels {
			t.Errorf("%s has labels %q, want %q", want.name, got, want.labels)
		}
	}
}

func TestObserveRequest_ClassicAndNativeHistogram(t *testing.T) {
	m := newMetrics(t, Config{})
	m.ObserveRequest(t.Context(), http.MethodPost, "/v1/classify", 200, 300*time.Millisecond)
	m.ObserveRequest(t.Context(), http.MethodPost, "/v1/classify", 200, 301*time.Millisecond)
	h := family(t, m, "http_request_duration_seconds").GetMetric()[0].GetHistogram()
	var atBound *dto.Bucket
	for _, b := range h.GetBucket() {
		if b.GetUpperBound() == 0.3 {
			atBound = b
		}
	}
	if atBound == nil || atBound.GetCumulativeCount() != 1 {
		t.Errorf("bucket with edge 0.3 is %v, want one observation in it", atBound)
	}
	if len(h.GetPositiveSpan()) == 0 {
		t.Error("there is no native histogram")
	}
}

func TestMetrics_UnknownLabelValues_Other(t *testing.T) {
	m := newMetrics(t, Config{})
	for i := range 1000 {
		m.ObserveRequest(t.Context(), "METHOD"+strconv.Itoa(i), "/v1/classify", 405, 0)
		m.Synced(t.Context(), "type-"+strconv.Itoa(i), 0)
	}
	if got := len(family(t, m, "http_request_duration_seconds").GetMetric()); got != 1 {
		t.Errorf("%d request series, want 1", got)
	}
	if got := labels(family(t, m, "sync_latency_seconds").GetMetric()[0]); got != "client_type=other" {
		t.Errorf("sync series is %s", got)
	}
}

func TestConflictArose_SessionsCapped(t *testing.T) {
	const sessions, limit = 100_000, 1000
	m := newMetrics(t, Config{})
	for i := range sessions {
		m.ConflictArose(strconv.Itoa(i))
		m.ConflictArose("busy")
	}
	f := family(t, m, "crdt_conflicts_total")
	if got := len(f.GetMetric()); got != limit {
		t.Fatalf("%d series, want %d", got, limit)
	}
	kept := map[string]float64{}
	for _, s := range f.GetMetric() {
		kept[s.GetLabel()[0].GetValue()] = s.GetCounter().GetValue()
	}
	if kept["busy"] != sessions {
		t.Errorf("the busy session counts %v, want %d", kept["busy"], sessions)
	}
	for i := sessions - (limit - 1); i < sessions; i++ {
		if kept[strconv.Itoa(i)] != 1 {
			t.Fatalf("recent session %d counts %v, want 1", i, kept[strconv.Itoa(i)])
		}
	}
}

func TestBundleSent_SessionsCapped(t *testing.T) {
	m := newMetrics(t, Config{MaxSessions: 10})
	for i := range 1000 {
		m.BundleSent(t.Context(), strconv.Itoa(i), 1)
	}
	if got := len(family(t, m, "offline_bundle_bytes").GetMetric()); got != 10 {
		t.Errorf("%d series, want 10", got)
	}
}

func TestConflictArose_ConcurrentUse_SessionsCapped(t *testing.T) {
	m := newMetrics(t, Config{MaxSessions: 7})
	var all sync.WaitGroup
	for g := range 8 {
		all.Go(func() {
			for i := range 500 {
				m.ConflictArose(strconv.Itoa((g*31 + i) % 40))
			}
		})
	}
	all.Wait()
	if got := len(family(t, m, "crdt_conflicts_total").GetMetric()); got != 7 {
		t.Errorf("%d series, want 7", got)
	}
}

func TestConnState_OpenConnectionsCounted(t *testing.T) {
	m := newMetrics(t, Config{})
	for _, s := range []http.ConnState{
		http.StateNew, http.StateActive, http.StateIdle, http.StateNew, http.StateNew, http.StateClosed, http.StateHijacked,
	} {
		m.ConnState(nil, s)
	}
	if got := testutil.ToFloat64(m.connections); got != 1 {
		t.Errorf("%v connections, want 1", got)
	}
}

func TestHandler_RuntimeAndBuildMetrics(t *testing.T) {
	m := newMetrics(t, Config{})
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("status %d", w.Code)
	}
	for _, name := range []string{"go_goroutines ", "process_open_fds ", "go_build_info{", "active_connections 0\n"} {
		if !strings.Contains(w.Body.String(), name) {
			t.Errorf("%s is missing", name)
		}
	}
}

func TestNewMetrics_NegativeMaxSessions_Error(t *testing.T) {
	if _, err := NewMetrics(Config{MaxSessions: -1}); err == nil {
		t.Error("want an error")
	}
}

func newMetrics(t *testing.T, c Config) *Metrics {
	t.Helper()
	m, err := NewMetrics(c)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// family returns one metric of the registry, nil without series.
func family(t *testing.T, m *Metrics, name string) *dto.MetricFamily {
	t.Helper()
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f
		}
	}
	return nil
}

func labels(s *dto.Metric) string {
	parts := make([]string, 0, len(s.GetLabel()))
	for _, l := range s.GetLabel() {
		parts = append(parts, l.GetName()+"="+l.GetValue())
	}
	return strings.Join(parts, ",")
}

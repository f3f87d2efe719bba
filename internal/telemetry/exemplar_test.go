package telemetry

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"go.opentelemetry.io/otel/trace"
)

// Only a sampled trace can be looked up.
func TestExemplars_SampledTracesOnly(t *testing.T) {
	id, err := trace.TraceIDFromHex("4bf92f3577b34da6a3ce929d0e0e4736")
	if err != nil {
		t.Fatal(err)
	}
	context := func(flags trace.TraceFlags) trace.SpanContext {
		return trace.NewSpanContext(trace.SpanContextConfig{TraceID: id, SpanID: trace.SpanID{1}, TraceFlags: flags})
	}
	m := newMetrics(t, Config{})
	observe := func(sc trace.SpanContext) {
		ctx := trace.ContextWithSpanContext(t.Context(), sc)
		m.ObserveRequest(ctx, http.MethodPost, "/v1/classify", 200, 299*time.Millisecond)
		m.Synced(ctx, "web", 299*time.Millisecond)
		m.BundleSent(ctx, "123", 4096)
	}
	examples := func(name string) (found []string) {
		h := family(t, m, name).GetMetric()[0].GetHistogram()
		var all []*dto.Exemplar
		for _, b := range h.GetBucket() {
			all = append(all, b.GetExemplar())
		}
		for _, e := range all {
			for _, l := range e.GetLabel() {
				found = append(found, l.GetName()+"="+l.GetValue())
			}
		}
		return found
	}
	observe(context(0))
	for _, name := range []string{"http_request_duration_seconds", "sync_latency_seconds", "offline_bundle_bytes"} {
		if got := examples(name); len(got) != 0 {
			t.Errorf("%s names %v, of which nothing was kept", name, got)
		}
	}
	observe(context(trace.FlagsSampled))
	for _, name := range []string{"http_request_duration_seconds", "sync_latency_seconds", "offline_bundle_bytes"} {
		if got := examples(name); len(got) != 1 || got[0] != "trace_id="+id.String() {
			t.Errorf("%s has the examples %v", name, got)
		}
	}
	r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	r.Header.Set("Accept", "application/openmetrics-text")
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, r)
	if !strings.Contains(w.Body.String(), `# {trace_id="`+id.String()+`"}`) {
		t.Errorf("the page in the OpenMetrics format shows no example")
	}
}

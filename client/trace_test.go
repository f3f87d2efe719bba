package client

import (
	"net/http"
	"testing"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
)

func TestConfig_Traces_OneSpanPerAttemptIsPropagated(t *testing.T) {
	spans := tracetest.NewSpanRecorder()
	provider := sdk.NewTracerProvider(sdk.WithSpanProcessor(spans))
	var parents []string
	traced := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			parents = append(parents, r.Header.Get("Traceparent"))
			w.WriteHeader(status)
			w.Write([]byte(`{}`)) //nolint:errcheck // the client says what it got
		}
	}
	config := Config{Traces: provider, Tokens: Tokens{Access: "token"}}
	_, c := play(t, config, traced(http.StatusServiceUnavailable), traced(http.StatusOK))
	ctx, above := provider.Tracer("test").Start(t.Context(), "above")
	if _, err := c.Me(ctx); err != nil {
		t.Fatal(err)
	}
	above.End()
	ended := spans.Ended()
	if len(ended) != 3 || len(parents) != 2 {
		t.Fatalf("%d spans and %d requests, want 3 and 2", len(ended), len(parents))
	}
	for i, s := range ended[:2] {
		sc := s.SpanContext()
		if want := "00-" + sc.TraceID().String() + "-" + sc.SpanID().String() + "-01"; parents[i] != want {
			t.Errorf("attempt %d sent %q, want %q", i, parents[i], want)
		}
		if s.SpanKind() != trace.SpanKindClient || s.Parent().SpanID() != above.SpanContext().SpanID() {
			t.Errorf("attempt %d is %v of %s", i, s.SpanKind(), s.Parent().SpanID())
		}
	}
}

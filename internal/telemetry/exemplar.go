package telemetry

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
)

// observe records a value. The trace in ctx becomes its exemplar if it is sampled, because only a
// sampled trace can be looked up.
func observe(ctx context.Context, to prometheus.Observer, value float64) {
	sc := trace.SpanContextFromContext(ctx)
	with, can := to.(prometheus.ExemplarObserver)
	if !can || !sc.IsSampled() {
		to.Observe(value)
		return
	}
	with.ObserveWithExemplar(value, prometheus.Labels{"trace_id": sc.TraceID().String()})
}

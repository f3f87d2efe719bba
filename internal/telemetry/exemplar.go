package telemetry

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
)

// observe reports a value, with the trace that ctx carries as its example if it is sampled: only then can somebody look it up.
func observe(ctx context.Context, to prometheus.Observer, value float64) {
	sc := trace.SpanContextFromContext(ctx)
	with, can := to.(prometheus.ExemplarObserver)
	if !can || !sc.IsSampled() {
		to.Observe(value)
		return
	}
	with.ObserveWithExemplar(value, prometheus.Labels{"trace_id": sc.TraceID().String()})
}

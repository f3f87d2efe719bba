package telemetry

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
)

// observe reports a duration, with the trace that ctx carries as its example if it is sampled: only then can somebody look it up.
func observe(ctx context.Context, to prometheus.Observer, took time.Duration) {
	sc := trace.SpanContextFromContext(ctx)
	with, can := to.(prometheus.ExemplarObserver)
	if !can || !sc.IsSampled() {
		to.Observe(took.Seconds())
		return
	}
	with.ObserveWithExemplar(took.Seconds(), prometheus.Labels{"trace_id": sc.TraceID().String()})
}

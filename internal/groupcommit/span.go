package groupcommit

import (
	"context"
	"iter"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
)

// Span starts the span of work that is done for many requests at once. It is a child of the first
// request that is sampled; the other sampled requests and the span link to each other, so that each
// of their traces leads to the work. If no request is sampled there is no span, and ctx is returned
// unchanged.
func Span(
	ctx context.Context, tracer trace.Tracer, name string, requests iter.Seq[trace.Span],
) (context.Context, trace.Span) {
	var first trace.Span
	var others []trace.Span
	size := 0
	for r := range requests {
		size++
		switch {
		case !r.SpanContext().IsSampled():
		case first == nil:
			first = r
		default:
			others = append(others, r)
		}
	}
	if first == nil {
		return ctx, trace.SpanFromContext(ctx)
	}
	links := make([]trace.Link, len(others))
	for i, r := range others {
		links[i].SpanContext = r.SpanContext()
	}
	ctx, span := tracer.Start(trace.ContextWithSpan(ctx, first), name,
		trace.WithLinks(links...), trace.WithAttributes(attribute.Int("firemode.group.size", size)))
	for _, r := range others {
		r.AddLink(trace.Link{SpanContext: span.SpanContext()})
	}
	return ctx, span
}

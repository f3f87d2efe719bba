package groupcommit

import (
	"context"
	"iter"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
)

// Span starts the span of work that is done for many requests at once: a child of the first of them that is sampled, with links to the
// others, which are given a link to it. So whoever follows any one of the requests finds the work. If none of them is sampled there is
// no span, and ctx is returned as it is.
func Span(ctx context.Context, tracer trace.Tracer, name string, requests iter.Seq[trace.Span]) (context.Context, trace.Span) {
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

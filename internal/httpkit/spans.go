package httpkit

import (
	"context"
	"net/http"
	"strconv"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.40.0"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// spans makes the span of each request, by the conventions of OpenTelemetry for HTTP servers. A span holds nothing that a caller has
// sent but the X-Request-ID: paths hold ids, queries and headers hold more.
type spans struct {
	tracer  trace.Tracer
	options []trace.SpanStartOption // the same for every request, made once
	quiet   map[string]bool         // paths of probes, whose traces nobody looks at
	context propagation.TextMapPropagator
}

func newSpans(provider trace.TracerProvider, list []Route) *spans {
	if provider == nil {
		provider = noop.NewTracerProvider()
	}
	s := &spans{
		tracer:  provider.Tracer("firemode/internal/httpapi"),
		options: []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindServer)},
		quiet:   map[string]bool{},
		context: propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{}),
	}
	for _, rt := range list {
		if rt.Quiet {
			s.quiet[rt.Pattern] = true
		}
	}
	return s
}

// start returns the context of a request: with the trace and baggage that came with it, and its span. The answer says which trace it is.
func (s *spans) start(r *http.Request, x *State, answer http.Header) context.Context {
	ctx := r.Context()
	x.span = trace.SpanFromContext(ctx)
	if s.quiet[x.path] {
		return ctx
	}
	if r.Header["Traceparent"] != nil || r.Header["Baggage"] != nil {
		ctx = s.context.Extract(ctx, propagation.HeaderCarrier(r.Header))
	}
	ctx, x.span = s.tracer.Start(ctx, knownMethod(r.Method), s.options...)
	if sc := x.span.SpanContext(); sc.IsValid() {
		answer["Traceresponse"] = []string{"00-" + sc.TraceID().String() + "-" + sc.SpanID().String() + "-" + sc.TraceFlags().String()}
	}
	return ctx
}

// end completes the span of a request that has been answered.
func (s *spans) end(r *http.Request, x *State, status int) {
	if !x.span.IsRecording() {
		return
	}
	method := knownMethod(r.Method)
	attributes := []attribute.KeyValue{
		semconv.HTTPRequestMethodKey.String(method),
		semconv.HTTPResponseStatusCode(status),
		semconv.URLScheme(scheme(r)),
		semconv.NetworkProtocolVersion(strconv.Itoa(r.ProtoMajor) + "." + strconv.Itoa(r.ProtoMinor)),
		attribute.String("firemode.transaction_id", x.ID),
	}
	if x.route != nil {
		x.span.SetName(method + " " + x.route.Pattern)
		attributes = append(attributes, semconv.HTTPRoute(x.route.Pattern))
	}
	if status >= http.StatusInternalServerError {
		attributes = append(attributes, semconv.ErrorTypeKey.String(strconv.Itoa(status)))
		x.span.SetStatus(codes.Error, "")
	}
	x.span.SetAttributes(attributes...)
	x.span.End()
}

func scheme(r *http.Request) string {
	if r.TLS != nil {
		return "https"
	}
	return "http"
}

// knownMethod is the method, or what the conventions put in place of one that HTTP does not know: names of spans are few.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions,
		http.MethodConnect, http.MethodTrace:
		return method
	}
	return "HTTP"
}

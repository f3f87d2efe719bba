package httpkit

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.40.0"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// spans makes the span of each request, by the OpenTelemetry conventions for HTTP servers. Of what a
// client sends a span holds only the X-Request-ID: paths, queries and headers hold ids and more.
type spans struct {
	tracer  trace.Tracer
	options []trace.SpanStartOption // the same for every request
	quiet   map[string]bool         // paths of probes, which are not traced
	context propagation.TextMapPropagator
}

func newSpans(provider trace.TracerProvider, list []Route) *spans {
	if provider == nil {
		provider = noop.NewTracerProvider()
	}
	s := &spans{
		// The name is part of every exported span, so it outlives the package that it names.
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

// start returns the context of a request with its span, and with the trace and baggage that came with
// the request. It names the trace in the headers of the response.
func (s *spans) start(r *http.Request, x *State, header http.Header) context.Context {
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
		header["Traceresponse"] = []string{
			strings.Join([]string{"00", sc.TraceID().String(), sc.SpanID().String(), sc.TraceFlags().String()}, "-"),
		}
	}
	return ctx
}

// end completes the span of a request after its response.
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

// knownMethod returns method, or "HTTP" for an unknown one, as the conventions ask: the set of span
// names must be small.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodOptions, http.MethodConnect, http.MethodTrace:
		return method
	}
	return "HTTP"
}

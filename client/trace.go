package client

import (
	"net/http"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// traced returns a copy of c that makes a span for each request and propagates trace and baggage to
// the server.
func traced(c *http.Client, provider trace.TracerProvider) *http.Client {
	below := c.Transport
	if below == nil {
		below = http.DefaultTransport
	}
	both := propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{})
	with := *c
	with.Transport = otelhttp.NewTransport(below,
		otelhttp.WithTracerProvider(provider), otelhttp.WithMeterProvider(noop.NewMeterProvider()),
		otelhttp.WithPropagators(both))
	return &with
}

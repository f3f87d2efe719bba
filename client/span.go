package client

import (
	"net/http"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// traced is c with a span for each request, whose trace and baggage go with it.
func traced(c *http.Client, provider trace.TracerProvider) *http.Client {
	below := c.Transport
	if below == nil {
		below = http.DefaultTransport
	}
	with := *c
	with.Transport = otelhttp.NewTransport(below,
		otelhttp.WithTracerProvider(provider), otelhttp.WithMeterProvider(noop.NewMeterProvider()),
		otelhttp.WithPropagators(propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{})))
	return &with
}

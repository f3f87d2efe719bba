package telemetry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
)

// TracingConfig configures Tracing.
type TracingConfig struct {
	// Getenv returns a variable of the environment, "" if it is unset; nil is an empty environment.
	// Only OTEL_* are read.
	Getenv  func(string) string
	Version string // of the program
	Logger  *slog.Logger
	Now     func() time.Time
}

// Tracing sends spans to an OpenTelemetry collector over OTLP/gRPC, in batches and in the
// background. A slow or unavailable collector costs spans, but never delays a request, and delays a
// stop by at most two seconds.
type Tracing struct {
	trace.TracerProvider
	sdk      *sdk.TracerProvider // nil when tracing is off
	exporter *otlptrace.Exporter // nil when nothing is sent
	stopping chan struct{}
}

// shutdownTimeout is the time that Shutdown waits for the last export.
const shutdownTimeout = 2 * time.Second

// NewTracing starts tracing as configured by the standard variables. Invalid variables are logged
// and ignored, as the standard demands. It fails if a certificate cannot be read.
func NewTracing(ctx context.Context, c TracingConfig) (*Tracing, error) {
	if c.Logger == nil || c.Now == nil {
		return nil, errors.New("telemetry: tracing needs a logger and a clock")
	}
	if c.Getenv == nil {
		c.Getenv = func(string) string { return "" }
	}
	env := environment{get: c.Getenv, log: c.Logger}
	if env.truth("OTEL_SDK_DISABLED") {
		return &Tracing{TracerProvider: noop.NewTracerProvider()}, nil
	}
	described, err := resource.New(ctx,
		resource.WithTelemetrySDK(), resource.WithHost(), resource.WithAttributes(env.resource(c.Version)...))
	if err != nil {
		c.Logger.Warn("tracing: some resource attributes are missing", "error", err)
	}
	t := &Tracing{stopping: make(chan struct{})}
	options := []sdk.TracerProviderOption{sdk.WithResource(described), sdk.WithRawSpanLimits(env.limits())}
	if !env.exports() {
		options = append(options, sdk.WithSampler(sdk.NeverSample()))
	} else {
		if t.exporter, err = newExporter(ctx, env); err != nil {
			return nil, err
		}
		sent := &delivery{
			to: t.exporter, log: c.Logger, now: c.Now,
			timeout: env.timeout(), expected: env.otlp("ENDPOINT") != "", stopping: t.stopping,
		}
		options = append(options,
			sdk.WithSampler(&gate{inner: env.sampler(), delivery: sent}),
			sdk.WithBatcher(sent, env.batches()...))
	}
	t.sdk = sdk.NewTracerProvider(options...)
	t.TracerProvider = provider{TracerProvider: t.sdk}
	return t, nil
}

// Shutdown exports the remaining spans within two seconds, and ends tracing. Later spans are lost.
// Call it once.
func (t *Tracing) Shutdown(ctx context.Context) error {
	if t.sdk == nil {
		return nil
	}
	close(t.stopping)
	ctx, cancel := context.WithTimeout(ctx, shutdownTimeout)
	defer cancel()
	err := t.sdk.Shutdown(ctx)
	if t.exporter != nil && ctx.Err() != nil {
		// The SDK leaves its export running; this ends it.
		t.exporter.Shutdown(ctx) //nolint:errcheck // it returns the same error
	}
	if err != nil {
		return fmt.Errorf("the last traces were not delivered: %w", err)
	}
	return nil
}

// newExporter does not connect: the first batch does, in the background and with retries.
func newExporter(ctx context.Context, env environment) (*otlptrace.Exporter, error) {
	options, err := env.connection()
	if err != nil {
		return nil, err
	}
	slowest := backoff.DefaultConfig
	slowest.MaxDelay = 5 * time.Second // a collector that returns is found within this time
	connect := grpc.ConnectParams{Backoff: slowest, MinConnectTimeout: 5 * time.Second}
	return otlptracegrpc.New(ctx, append(options,
		otlptracegrpc.WithRetry(otlptracegrpc.RetryConfig{Enabled: false}), // delivery retries
		otlptracegrpc.WithDialOption(grpc.WithConnectParams(connect)),
	)...)
}

// provider returns tracers that start no span below an unsampled span. The SDK would create a new
// id and a new context for each of them.
type provider struct {
	trace.TracerProvider
}

func (p provider) Tracer(name string, options ...trace.TracerOption) trace.Tracer {
	return tracer{p.TracerProvider.Tracer(name, options...)}
}

type tracer struct{ trace.Tracer }

func (t tracer) Start(
	ctx context.Context, name string, options ...trace.SpanStartOption,
) (context.Context, trace.Span) {
	above := trace.SpanFromContext(ctx)
	if sc := above.SpanContext(); sc.IsValid() && !sc.IsRemote() && !sc.IsSampled() {
		return ctx, above // ending an unsampled span has no effect
	}
	return t.Tracer.Start(ctx, name, options...)
}

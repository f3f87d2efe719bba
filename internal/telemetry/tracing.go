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

// TracingConfig of Tracing.
type TracingConfig struct {
	// Getenv returns a variable of the environment, "" for one that is not set; nil for an empty environment. Only OTEL_* are asked for.
	Getenv  func(string) string
	Version string // of the program
	Logger  *slog.Logger
	Now     func() time.Time
}

// Tracing collects spans and sends them to an OpenTelemetry collector over OTLP/gRPC, in batches and behind the requests: a collector
// that is away or slow costs spans, never a request, and a stop not more than two seconds.
type Tracing struct {
	trace.TracerProvider
	sdk      *sdk.TracerProvider // nil when tracing is off
	exporter *otlptrace.Exporter // nil when nothing is sent
	stopping chan struct{}
}

// stopPatience is how long Shutdown waits for the collector to take what is left.
const stopPatience = 2 * time.Second

// NewTracing starts tracing as the standard variables say. A variable that makes no sense is logged and left out, as the standard
// demands; an error is a certificate that cannot be read.
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
	described, err := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithHost(), resource.WithAttributes(env.resource(c.Version)...))
	if err != nil {
		c.Logger.Warn("tracing: part of what describes this process is missing", "error", err)
	}
	t := &Tracing{stopping: make(chan struct{})}
	options := []sdk.TracerProviderOption{sdk.WithResource(described), sdk.WithRawSpanLimits(env.limits())}
	if !env.exports() {
		options = append(options, sdk.WithSampler(sdk.NeverSample()))
	} else {
		if t.exporter, err = newExporter(ctx, env); err != nil {
			return nil, err
		}
		sent := &delivery{to: t.exporter, log: c.Logger, now: c.Now, patience: env.timeout(), expected: env.otlp("ENDPOINT") != "", stopping: t.stopping}
		options = append(options,
			sdk.WithSampler(&gate{inner: env.sampler(), delivery: sent}),
			sdk.WithBatcher(sent, env.batches()...))
	}
	t.sdk = sdk.NewTracerProvider(options...)
	t.TracerProvider = provider{TracerProvider: t.sdk}
	return t, nil
}

// Shutdown sends what is left, for two seconds at most, and ends tracing. Spans that end later are lost. Call it once.
func (t *Tracing) Shutdown(ctx context.Context) error {
	if t.sdk == nil {
		return nil
	}
	close(t.stopping)
	ctx, cancel := context.WithTimeout(ctx, stopPatience)
	defer cancel()
	err := t.sdk.Shutdown(ctx)
	if t.exporter != nil && ctx.Err() != nil {
		// The SDK leaves its export running; this ends it. Its error is the one we have.
		t.exporter.Shutdown(ctx) //nolint:errcheck // see above
	}
	if err != nil {
		return fmt.Errorf("the last traces were not delivered: %w", err)
	}
	return nil
}

// newExporter makes no connection: that is done, and done again, behind the first batch.
func newExporter(ctx context.Context, env environment) (*otlptrace.Exporter, error) {
	options, err := env.connection()
	if err != nil {
		return nil, err
	}
	slowest := backoff.DefaultConfig
	slowest.MaxDelay = 5 * time.Second // a collector that comes back is found as soon as that
	return otlptracegrpc.New(ctx, append(options,
		otlptracegrpc.WithRetry(otlptracegrpc.RetryConfig{Enabled: false}), // see delivery
		otlptracegrpc.WithDialOption(grpc.WithConnectParams(grpc.ConnectParams{Backoff: slowest, MinConnectTimeout: 5 * time.Second})),
	)...)
}

// provider makes tracers that start nothing below a span that is not sampled: the SDK would make a new id, and a new context, for every
// part of a request that nobody will see.
type provider struct {
	trace.TracerProvider
}

func (p provider) Tracer(name string, options ...trace.TracerOption) trace.Tracer {
	return tracer{p.TracerProvider.Tracer(name, options...)}
}

type tracer struct{ trace.Tracer }

func (t tracer) Start(ctx context.Context, name string, options ...trace.SpanStartOption) (context.Context, trace.Span) {
	above := trace.SpanFromContext(ctx)
	if sc := above.SpanContext(); sc.IsValid() && !sc.IsRemote() && !sc.IsSampled() {
		return ctx, above // ending it does nothing, since it is not sampled
	}
	return t.Tracer.Start(ctx, name, options...)
}

package telemetry

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	// warnInterval is the time between two warnings that traces cannot be delivered.
	warnInterval = 5 * time.Minute
	// probeInterval is the time between two traces that are kept while the collector is
	// unavailable.
	probeInterval = time.Second
	// The first and the longest pause between two attempts.
	firstWait, longestWait = time.Second, 5 * time.Second
)

// delivery passes spans to the exporter and keeps whether the last export failed. It logs failures
// itself, because OpenTelemetry's error handler is global to the process. It retries itself, so
// that a stop need not wait for an unavailable collector.
type delivery struct {
	to       sdk.SpanExporter
	log      *slog.Logger
	now      func() time.Time
	timeout  time.Duration // of one batch, retries included
	expected bool          // the operator has configured a collector, so its absence is a fault
	stopping chan struct{} // closed to end retries

	failing atomic.Bool
	mu      sync.Mutex
	noted   bool      // the absence of an unexpected collector is logged
	lost    int       // spans since the last warning
	next    time.Time // earliest next warning
}

// ExportSpans always returns nil, because it handles failures itself.
func (d *delivery) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	err := d.to.ExportSpans(ctx, spans)
	for wait := firstWait; err != nil && transient(err); wait = min(2*wait, longestWait) {
		d.warn(err, 0)
		if !d.pause(ctx, wait) {
			break
		}
		err = d.to.ExportSpans(ctx, spans)
	}
	if err != nil {
		d.warn(err, len(spans))
	} else if d.failing.Swap(false) {
		d.log.Info("traces are delivered again")
	}
	return nil
}

// transient reports whether a retry may succeed.
func transient(err error) bool {
	code := status.Code(err)
	return code == codes.Unavailable || code == codes.ResourceExhausted
}

// pause waits, and returns false if there must be no further attempt.
func (d *delivery) pause(ctx context.Context, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
	case <-d.stopping:
	}
	return false
}

// warn logs a failed export, at most once per interval, with the number of spans lost meanwhile.
func (d *delivery) warn(err error, lost int) {
	d.failing.Store(true)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lost += lost
	if !d.expected {
		if !d.noted {
			d.log.Info("no OpenTelemetry collector; traces are dropped; set OTEL_EXPORTER_OTLP_ENDPOINT to send them",
				"error", err)
		}
		d.noted = true
		return
	}
	if now := d.now(); !now.Before(d.next) {
		d.log.Warn("traces cannot be delivered", "error", err, "lost_spans", d.lost)
		d.next, d.lost = now.Add(warnInterval), 0
	}
}

func (d *delivery) Shutdown(ctx context.Context) error { return d.to.Shutdown(ctx) }

// gate samples like inner while exports succeed. While they fail, it keeps one trace per second as
// a probe: an unavailable collector costs almost nothing, and traces arrive immediately after it
// starts.
type gate struct {
	inner    sdk.Sampler
	delivery *delivery
	probe    atomic.Int64 // earliest next probe, in nanoseconds since 1970
}

func (g *gate) ShouldSample(p sdk.SamplingParameters) sdk.SamplingResult {
	result := g.inner.ShouldSample(p)
	if result.Decision != sdk.RecordAndSample || !g.delivery.failing.Load() {
		return result
	}
	if above := trace.SpanContextFromContext(p.ParentContext); above.IsValid() && !above.IsRemote() {
		return result // part of a sampled trace
	}
	now, next := g.delivery.now().UnixNano(), g.probe.Load()
	if now < next || !g.probe.CompareAndSwap(next, now+int64(probeInterval)) {
		result.Decision = sdk.Drop
	}
	return result
}

func (g *gate) Description() string { return g.inner.Description() }

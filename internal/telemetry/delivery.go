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
	// complainEvery is how often the log says that traces cannot be delivered.
	complainEvery = 5 * time.Minute
	// probeEvery is how often a trace is kept while the collector takes none.
	probeEvery = time.Second
	// The first wait between two offers, and the longest.
	firstWait, longestWait = time.Second, 5 * time.Second
)

// delivery hands spans to the exporter and remembers whether the collector took them. It reports failures itself, so that OpenTelemetry's
// error handler, which there is but one of in a process, has nothing to say; and it tries again itself, so that a stop does not wait
// for a collector that is away.
type delivery struct {
	to       sdk.SpanExporter
	log      *slog.Logger
	now      func() time.Time
	patience time.Duration // how long a batch is offered
	expected bool          // somebody said where the collector is: that there is none is a fault
	stopping chan struct{} // closed when nothing is tried again

	failing atomic.Bool
	mu      sync.Mutex
	said    bool      // that there is none where nobody expects one
	lost    int       // spans since the last complaint
	next    time.Time // complaint
}

// ExportSpans never fails, as far as the SDK is told.
func (d *delivery) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	ctx, cancel := context.WithTimeout(ctx, d.patience)
	defer cancel()
	err := d.to.ExportSpans(ctx, spans)
	for wait := firstWait; err != nil && passing(err); wait = min(2*wait, longestWait) {
		d.complain(err, 0)
		if !d.pause(ctx, wait) {
			break
		}
		err = d.to.ExportSpans(ctx, spans)
	}
	if err != nil {
		d.complain(err, len(spans))
	} else if d.failing.Swap(false) {
		d.log.Info("traces are delivered again")
	}
	return nil
}

// passing tells of an error that may be gone a little later.
func passing(err error) bool {
	code := status.Code(err)
	return code == codes.Unavailable || code == codes.ResourceExhausted
}

// pause is true after wait, false when there will be no further attempt.
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

func (d *delivery) complain(err error, lost int) {
	d.failing.Store(true)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lost += lost
	if !d.expected {
		if !d.said {
			d.log.Info("no OpenTelemetry collector answers, traces are dropped; OTEL_EXPORTER_OTLP_ENDPOINT says where there is one", "error", err)
		}
		d.said = true
		return
	}
	if now := d.now(); !now.Before(d.next) {
		d.log.Warn("traces cannot be delivered", "error", err, "lost_spans", d.lost)
		d.next, d.lost = now.Add(complainEvery), 0
	}
}

func (d *delivery) Shutdown(ctx context.Context) error { return d.to.Shutdown(ctx) }

// gate samples what inner samples, as long as the collector takes it. While it does not, one trace a second is kept to find out when it
// does again: a collector that is not there costs next to nothing, and who starts one sees traces at once.
type gate struct {
	inner    sdk.Sampler
	delivery *delivery
	probe    atomic.Int64 // when the next trace is kept, in nanoseconds since 1970
}

func (g *gate) ShouldSample(p sdk.SamplingParameters) sdk.SamplingResult {
	result := g.inner.ShouldSample(p)
	if result.Decision != sdk.RecordAndSample || !g.delivery.failing.Load() {
		return result
	}
	if above := trace.SpanContextFromContext(p.ParentContext); above.IsValid() && !above.IsRemote() {
		return result // a part of a trace that is kept
	}
	now, next := g.delivery.now().UnixNano(), g.probe.Load()
	if now < next || !g.probe.CompareAndSwap(next, now+int64(probeEvery)) {
		result.Decision = sdk.Drop
	}
	return result
}

func (g *gate) Description() string { return g.inner.Description() }

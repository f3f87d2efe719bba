package postgres

import (
	"context"
	"errors"

	"github.com/exaring/otelpgx"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric/noop"
	semconv "go.opentelemetry.io/otel/semconv/v1.40.0"
	"go.opentelemetry.io/otel/trace"

	"firemode/internal/store/row"
)

// tracer wraps otelpgx: it costs nothing where nothing is sampled, records only the code of an
// error, since its text could contain a value, and makes one span of a statement that is sent for
// many rows, as the other engine does.
type tracer struct {
	*otelpgx.Tracer
}

var (
	_ pgx.QueryTracer       = tracer{}
	_ pgx.BatchTracer       = tracer{}
	_ pgx.PrepareTracer     = tracer{}
	_ pgx.ConnectTracer     = tracer{}
	_ pgxpool.AcquireTracer = tracer{}
)

func newTracer(provider trace.TracerProvider, c *pgx.ConnConfig) tracer {
	return tracer{otelpgx.NewTracer(
		otelpgx.WithTracerProvider(provider), otelpgx.WithMeterProvider(noop.NewMeterProvider()),
		otelpgx.WithSpanNameFunc(row.Summary),
		// Its own attributes of the connection would copy the configuration of the connection for
		// every statement.
		otelpgx.WithDisableConnectionDetailsInAttributes(),
		otelpgx.WithTracerAttributes(semconv.DBNamespace(c.Database), semconv.ServerAddress(c.Host),
			semconv.ServerPort(int(c.Port))),
	)}
}

func recording(ctx context.Context) bool { return trace.SpanFromContext(ctx).IsRecording() }

// bare returns what a span may contain of err.
func bare(err error) error {
	var failed *pgconn.PgError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &failed):
		return &pgconn.PgError{Severity: failed.Severity, Code: failed.Code}
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.Is(err, context.DeadlineExceeded):
		return context.DeadlineExceeded
	}
	return errors.New("failed")
}

// started starts a span if the caller's span is recorded.
func started(ctx context.Context, start func() context.Context) context.Context {
	if !recording(ctx) {
		return ctx
	}
	return start()
}

// ended reduces err to what a span may contain, and ends the span if it is recorded.
func ended(ctx context.Context, err *error, end func()) {
	*err = bare(*err)
	if recording(ctx) {
		end()
	}
}

func (t tracer) TraceQueryStart(ctx context.Context, c *pgx.Conn, d pgx.TraceQueryStartData) context.Context {
	return started(ctx, func() context.Context { return t.Tracer.TraceQueryStart(ctx, c, d) })
}

func (t tracer) TraceQueryEnd(ctx context.Context, c *pgx.Conn, d pgx.TraceQueryEndData) {
	ended(ctx, &d.Err, func() { t.Tracer.TraceQueryEnd(ctx, c, d) })
}

// TraceBatchStart names the span after the one statement that each of our batches runs for many
// rows.
func (t tracer) TraceBatchStart(ctx context.Context, c *pgx.Conn, d pgx.TraceBatchStartData) context.Context {
	return started(ctx, func() context.Context {
		ctx := t.Tracer.TraceBatchStart(ctx, c, d)
		if d.Batch.Len() > 0 {
			query := d.Batch.QueuedQueries[0].SQL
			span := trace.SpanFromContext(ctx)
			span.SetName(row.Summary(query))
			span.SetAttributes(semconv.DBQueryText(query), semconv.DBOperationName(row.Summary(query)))
		}
		return ctx
	})
}

// TraceBatchQuery starts no span: it is called when the result of a row is read, which says nothing
// about its time.
func (t tracer) TraceBatchQuery(ctx context.Context, _ *pgx.Conn, d pgx.TraceBatchQueryData) {
	if d.Err != nil && recording(ctx) {
		trace.SpanFromContext(ctx).SetStatus(codes.Error, bare(d.Err).Error())
	}
}

func (t tracer) TraceBatchEnd(ctx context.Context, c *pgx.Conn, d pgx.TraceBatchEndData) {
	ended(ctx, &d.Err, func() { t.Tracer.TraceBatchEnd(ctx, c, d) })
}

func (t tracer) TracePrepareStart(ctx context.Context, c *pgx.Conn, d pgx.TracePrepareStartData) context.Context {
	return started(ctx, func() context.Context {
		ctx := t.Tracer.TracePrepareStart(ctx, c, d)
		trace.SpanFromContext(ctx).SetName("PREPARE " + row.Summary(d.SQL))
		return ctx
	})
}

func (t tracer) TracePrepareEnd(ctx context.Context, c *pgx.Conn, d pgx.TracePrepareEndData) {
	ended(ctx, &d.Err, func() { t.Tracer.TracePrepareEnd(ctx, c, d) })
}

func (t tracer) TraceConnectStart(ctx context.Context, d pgx.TraceConnectStartData) context.Context {
	return started(ctx, func() context.Context { return t.Tracer.TraceConnectStart(ctx, d) })
}

func (t tracer) TraceConnectEnd(ctx context.Context, d pgx.TraceConnectEndData) {
	ended(ctx, &d.Err, func() { t.Tracer.TraceConnectEnd(ctx, d) })
}

func (t tracer) TraceAcquireStart(
	ctx context.Context, p *pgxpool.Pool, d pgxpool.TraceAcquireStartData,
) context.Context {
	return started(ctx, func() context.Context { return t.Tracer.TraceAcquireStart(ctx, p, d) })
}

func (t tracer) TraceAcquireEnd(ctx context.Context, p *pgxpool.Pool, d pgxpool.TraceAcquireEndData) {
	ended(ctx, &d.Err, func() { t.Tracer.TraceAcquireEnd(ctx, p, d) })
}

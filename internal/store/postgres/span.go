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

// tracer is otelpgx as we want it: it costs nothing where nothing is sampled, says of an error its code alone, since the text could name a
// value, and makes one span of a statement that is sent for row after row, as the other engine does.
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
		otelpgx.WithTracerProvider(provider), otelpgx.WithMeterProvider(noop.NewMeterProvider()), otelpgx.WithSpanNameFunc(row.Summary),
		// Its own way to tell the database copies the configuration of the connection for every statement.
		otelpgx.WithDisableConnectionDetailsInAttributes(),
		otelpgx.WithTracerAttributes(semconv.DBNamespace(c.Database), semconv.ServerAddress(c.Host), semconv.ServerPort(int(c.Port))),
	)}
}

func recording(ctx context.Context) bool { return trace.SpanFromContext(ctx).IsRecording() }

// bare is what may be said of err.
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

func (t tracer) TraceQueryStart(ctx context.Context, c *pgx.Conn, d pgx.TraceQueryStartData) context.Context {
	if !recording(ctx) {
		return ctx
	}
	return t.Tracer.TraceQueryStart(ctx, c, d)
}

func (t tracer) TraceQueryEnd(ctx context.Context, c *pgx.Conn, d pgx.TraceQueryEndData) {
	d.Err = bare(d.Err)
	if recording(ctx) {
		t.Tracer.TraceQueryEnd(ctx, c, d)
	}
}

// TraceBatchStart: every batch of ours is one statement for many rows.
func (t tracer) TraceBatchStart(ctx context.Context, c *pgx.Conn, d pgx.TraceBatchStartData) context.Context {
	if !recording(ctx) {
		return ctx
	}
	ctx = t.Tracer.TraceBatchStart(ctx, c, d)
	if d.Batch.Len() > 0 {
		query := d.Batch.QueuedQueries[0].SQL
		span := trace.SpanFromContext(ctx)
		span.SetName(row.Summary(query))
		span.SetAttributes(semconv.DBQueryText(query), semconv.DBOperationName(row.Summary(query)))
	}
	return ctx
}

// TraceBatchQuery makes no span: it is called when the answer to a row is read, which says nothing about its time.
func (t tracer) TraceBatchQuery(ctx context.Context, _ *pgx.Conn, d pgx.TraceBatchQueryData) {
	if d.Err != nil && recording(ctx) {
		trace.SpanFromContext(ctx).SetStatus(codes.Error, bare(d.Err).Error())
	}
}

func (t tracer) TraceBatchEnd(ctx context.Context, c *pgx.Conn, d pgx.TraceBatchEndData) {
	d.Err = bare(d.Err)
	if recording(ctx) {
		t.Tracer.TraceBatchEnd(ctx, c, d)
	}
}

func (t tracer) TracePrepareStart(ctx context.Context, c *pgx.Conn, d pgx.TracePrepareStartData) context.Context {
	if !recording(ctx) {
		return ctx
	}
	ctx = t.Tracer.TracePrepareStart(ctx, c, d)
	trace.SpanFromContext(ctx).SetName("PREPARE " + row.Summary(d.SQL))
	return ctx
}

func (t tracer) TracePrepareEnd(ctx context.Context, c *pgx.Conn, d pgx.TracePrepareEndData) {
	d.Err = bare(d.Err)
	if recording(ctx) {
		t.Tracer.TracePrepareEnd(ctx, c, d)
	}
}

func (t tracer) TraceConnectStart(ctx context.Context, d pgx.TraceConnectStartData) context.Context {
	if !recording(ctx) {
		return ctx
	}
	return t.Tracer.TraceConnectStart(ctx, d)
}

func (t tracer) TraceConnectEnd(ctx context.Context, d pgx.TraceConnectEndData) {
	d.Err = bare(d.Err)
	if recording(ctx) {
		t.Tracer.TraceConnectEnd(ctx, d)
	}
}

func (t tracer) TraceAcquireStart(ctx context.Context, p *pgxpool.Pool, d pgxpool.TraceAcquireStartData) context.Context {
	if !recording(ctx) {
		return ctx
	}
	return t.Tracer.TraceAcquireStart(ctx, p, d)
}

func (t tracer) TraceAcquireEnd(ctx context.Context, p *pgxpool.Pool, d pgxpool.TraceAcquireEndData) {
	d.Err = bare(d.Err)
	if recording(ctx) {
		t.Tracer.TraceAcquireEnd(ctx, p, d)
	}
}

package sqlite

import (
	"context"
	"errors"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.40.0"
	"go.opentelemetry.io/otel/trace"
	driver "modernc.org/sqlite"

	"firemode/internal/store/row"
)

// following starts the spans of the statements of one connection, as children of the span in the
// context of a statement and only if that is sampled. A statement that runs for many rows has one
// span, with the number of runs, so that the trace of a large batch stays readable. A span has the
// text of the statement, never its values.
type following struct {
	tracer trace.Tracer

	span   trace.Span // of the statement that ran last; nil for none
	parent trace.SpanID
	query  string
	runs   int
	ended  time.Time
}

// begin is called before a statement runs, end after it.
func (f *following) begin(ctx context.Context, s *statement, query string) {
	above := trace.SpanFromContext(ctx)
	if !above.IsRecording() {
		f.flush()
		return
	}
	parent := above.SpanContext().SpanID()
	if f.span != nil && f.parent == parent && f.query == query {
		f.runs++
		return
	}
	f.flush()
	_, f.span = f.tracer.Start(ctx, s.name, trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(s.attributes...))
	f.parent, f.query, f.runs = parent, query, 1
}

func (f *following) end(err error) {
	if f.span == nil {
		return
	}
	f.ended = time.Now()
	if err == nil {
		return
	}
	// The text of the error could contain a value.
	kind := "sqlite"
	if failed := (*driver.Error)(nil); errors.As(err, &failed) {
		kind = strconv.Itoa(failed.Code())
	}
	f.span.SetAttributes(semconv.ErrorTypeKey.String(kind))
	f.span.SetStatus(codes.Error, "")
	f.flush()
}

// flush ends the span of the statement that ran last, at the time it ended.
func (f *following) flush() {
	if f.span == nil {
		return
	}
	if f.runs > 1 {
		f.span.SetAttributes(semconv.DBOperationBatchSize(f.runs))
	}
	f.span.End(trace.WithTimestamp(f.ended))
	f.span = nil
}

// describe sets the name and the attributes of the spans of a statement.
func (s *statement) describe(query string) {
	s.name = row.Summary(query)
	s.attributes = []attribute.KeyValue{
		semconv.DBSystemNameSQLite, semconv.DBQueryText(query),
		semconv.DBQuerySummary(s.name),
	}
}

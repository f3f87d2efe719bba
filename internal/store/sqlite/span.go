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

// following makes the spans of the statements of one connection, below the span that the context of
// a statement carries and only if that is sampled. A statement that is run for row after row is one
// span, with the number of runs: a batch of a thousand changes is a trace that can be read. A span
// holds the text, never the values.
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
	// The text of the error could name a value.
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

// describe gives a statement the name and the attributes of its spans.
func (s *statement) describe(query string) {
	s.name = row.Summary(query)
	s.attributes = []attribute.KeyValue{
		semconv.DBSystemNameSQLite, semconv.DBQueryText(query),
		semconv.DBQuerySummary(s.name),
	}
}

package telemetry

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"go.opentelemetry.io/otel/trace"

	"firemode"
)

// NewLogger returns a logger that writes one line per event to w, with times in UTC and, in JSON,
// durations in seconds. Lines logged with the context of a request have its transaction_id and, if
// it is traced, its trace_id. format is "json" or "text"; level is "debug", "info", "warn" or
// "error".
func NewLogger(w io.Writer, format, level string) (*slog.Logger, error) {
	var least slog.Level
	if err := least.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("log level %q is none of debug, info, warn, error", level)
	}
	options := slog.HandlerOptions{Level: least}
	switch format {
	case "json":
		options.ReplaceAttr = forMachines
		return slog.New(traced{slog.NewJSONHandler(w, &options)}), nil
	case "text":
		options.ReplaceAttr = inUTC
		return slog.New(traced{slog.NewTextHandler(w, &options)}), nil
	}
	return nil, fmt.Errorf("log format %q is neither json nor text", format)
}

// traced adds the ids of the request in the context to each line.
type traced struct{ slog.Handler }

func (h traced) Handle(ctx context.Context, line slog.Record) error {
	if id := firemode.RequestID(ctx); id != "" {
		line.AddAttrs(slog.String("transaction_id", id))
	}
	if sc := trace.SpanContextFromContext(ctx); sc.HasTraceID() {
		line.AddAttrs(slog.String("trace_id", sc.TraceID().String()))
	}
	return h.Handler.Handle(ctx, line)
}

func (h traced) WithAttrs(attrs []slog.Attr) slog.Handler { return traced{h.Handler.WithAttrs(attrs)} }

// WithGroup is part of slog.Handler. A logger with a group writes the ids inside the group.
func (h traced) WithGroup(name string) slog.Handler { return traced{h.Handler.WithGroup(name)} }

func inUTC(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindTime {
		a.Value = slog.TimeValue(a.Value.Time().UTC())
	}
	return a
}

// forMachines writes durations in seconds, like the metrics; slog alone would write nanoseconds.
func forMachines(groups []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		a.Value = slog.Float64Value(a.Value.Duration().Seconds())
	}
	return inUTC(groups, a)
}

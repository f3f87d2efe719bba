package httpkit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"firemode"
)

// unmatched is the metrics label of requests that no route matches.
const unmatched = "unmatched"

// reporter reports each request once: a log event, a metric, a span, and a warning if it was slow.
type reporter struct {
	Report
	metrics Metrics
	spans   *spans
	now     func() time.Time
}

func newReporter(c Config, routes []Route) reporter {
	if c.Report.SlowAfter == 0 {
		c.Report.SlowAfter = defaultSlowAfter
	}
	return reporter{Report: c.Report, metrics: c.Metrics, spans: newSpans(c.Report.Traces, routes), now: c.Now}
}

// report reports a request after its response.
func (p *reporter) report(w *response, r *http.Request) {
	x := w.x
	took := p.now().Sub(x.started)
	status, pattern := w.status, unmatched
	if status == 0 {
		status = http.StatusOK
	}
	if status >= http.StatusInternalServerError && errors.Is(r.Context().Err(), context.Canceled) {
		status = statusGone
	}
	if x.route != nil {
		pattern = x.route.Pattern
	}
	p.metrics.ObserveRequest(r.Context(), r.Method, pattern, status, took)
	if x.Claim != nil && x.Claim.Replayed {
		p.metrics.Replayed()
	}
	p.log(r, x,
		slog.Int("status", status), slog.Int64("bytes", w.bytes), slog.Duration("took", took), slog.String("route", pattern))
	p.warnIfSlow(r, x, took)
	p.spans.end(r, x, status)
}

// log writes the one event of a request. It never holds the query, headers or bodies. The logger adds
// transaction_id and trace_id.
func (p *reporter) log(r *http.Request, x *State, outcome ...slog.Attr) {
	level := slog.LevelInfo
	if x.route != nil && x.route.Quiet {
		level = slog.LevelDebug
	}
	attrs := append(outcome, slog.String("method", r.Method))
	if who := x.Caller.Principal; who.User != "" {
		attrs = append(attrs, slog.String("user", string(who.User)), slog.String("org", string(who.Org)))
	}
	if x.failure != nil {
		attrs = append(attrs, slog.String("error", x.failure.Error()))
		if firemode.CodeOf(x.failure) == firemode.CodeInternal {
			level = slog.LevelError
		}
	}
	p.Logger.LogAttrs(r.Context(), level, "request", attrs...)
}

// warnIfSlow logs a request on a critical route that took longer than SlowAfter, with the time of
// each stage.
func (p *reporter) warnIfSlow(r *http.Request, x *State, took time.Duration) {
	if x.route == nil || !x.route.Critical || took <= p.SlowAfter {
		return
	}
	attrs := []slog.Attr{slog.String("method", r.Method), slog.String("route", x.route.Pattern)}
	rest := took
	x.Watch.Each(func(s firemode.Stage, spent time.Duration) {
		attrs = append(attrs, slog.Duration(s.String(), spent))
		rest -= spent
	})
	attrs = append(attrs, slog.Duration(firemode.StageOther.String(), rest))
	p.Logger.LogAttrs(r.Context(), slog.LevelWarn,
		fmt.Sprintf("Performance violation: %.3fs > %dms requirement", took.Seconds(), p.SlowAfter.Milliseconds()), attrs...)
}

package httpkit

import (
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"firemode"
)

// warnIfSlow logs a request on a critical route that took longer than is required, and where the time went.
func (s *Server) warnIfSlow(r *http.Request, x *State, took time.Duration) {
	if x.route == nil || !x.route.Critical || took <= s.report.SlowAfter {
		return
	}
	attrs := []slog.Attr{slog.String("method", r.Method), slog.String("route", x.route.Pattern)}
	rest := took
	x.Watch.Each(func(s firemode.Stage, spent time.Duration) {
		attrs = append(attrs, slog.Duration(s.String(), spent))
		rest -= spent
	})
	attrs = append(attrs, slog.Duration(firemode.StageOther.String(), rest))
	s.report.Logger.LogAttrs(r.Context(), slog.LevelWarn,
		fmt.Sprintf("Performance violation: %.3fs > %dms requirement", took.Seconds(), s.report.SlowAfter.Milliseconds()), attrs...)
}

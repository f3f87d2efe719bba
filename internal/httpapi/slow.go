package httpapi

import (
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"firemode"
)

// warnIfSlow logs a request on a critical route that took longer than is required, and where the time went.
func (a *API) warnIfSlow(r *http.Request, x *exchange, took time.Duration) {
	if x.route == nil || !x.route.Critical || took <= a.SlowAfter {
		return
	}
	attrs := []slog.Attr{slog.String("method", r.Method), slog.String("route", x.route.Pattern)}
	rest := took
	x.watch.Each(func(s firemode.Stage, spent time.Duration) {
		attrs = append(attrs, slog.Duration(s.String(), spent))
		rest -= spent
	})
	attrs = append(attrs, slog.Duration(firemode.StageOther.String(), rest))
	a.Logger.LogAttrs(r.Context(), slog.LevelWarn,
		fmt.Sprintf("Performance violation: %.3fs > %dms requirement", took.Seconds(), a.SlowAfter.Milliseconds()), attrs...)
}

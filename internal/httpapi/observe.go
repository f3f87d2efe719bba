package httpapi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"regexp"
	"runtime/debug"

	"firemode"
)

// unmatched is the metrics label of requests that no route takes.
const unmatched = "unmatched"

// observe gives the request its id, carries it through next, and reports it once: one log event and one observation.
func (a *API) observe(rw http.ResponseWriter, r *http.Request, next http.HandlerFunc) {
	x := &exchange{id: requestID(r, a.NewID), started: a.Now(), query: r.URL.RawQuery, remote: remoteHost(r)}
	r, known := tidied(r)
	x.path = r.URL.EscapedPath()
	r = r.WithContext(withExchange(a.spans.start(r, x, rw.Header()), x))
	w := &response{ResponseWriter: rw, request: r, x: x, drain: a.Drain, pause: a.Pause, now: a.Now}
	setSafeHeaders(w.Header(), x.id)
	z := a.compressed(w, r)
	defer a.report(w, r)
	defer a.hurry(rw, r, x)
	defer x.end()
	defer z.Close()
	defer a.recoverPanic(z, r)
	if !known {
		a.fail(z, r, firemode.NotFound("there is nothing at this path"))
		return
	}
	next(z, r)
}

// recoverPanic answers 500 for a handler that panicked, or has given up with http.ErrAbortHandler.
func (a *API) recoverPanic(w *compressor, r *http.Request) {
	v := recover()
	if v == nil {
		return
	}
	x := exchangeOf(r.Context())
	if v != http.ErrAbortHandler { //nolint:errorlint // net/http compares it so
		a.Logger.LogAttrs(r.Context(), slog.LevelError, "panic",
			slog.String("panic", fmt.Sprint(v)), slog.String("stack", string(debug.Stack())))
		x.failure = errors.New("panic, see the log")
	}
	a.fail(w, r, cmp.Or(x.failure, errors.New("the handler gave up")))
}

func (a *API) report(w *response, r *http.Request) {
	x := w.x
	took := a.Now().Sub(x.started)
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
	a.Metrics.ObserveRequest(r.Context(), r.Method, pattern, status, took)
	if x.claim != nil && x.claim.Replayed {
		a.Metrics.Replayed()
	}
	a.log(r, x, slog.Int("status", status), slog.Int64("bytes", w.bytes), slog.Duration("took", took), slog.String("route", pattern))
	a.warnIfSlow(r, x, took)
	a.spans.end(r, x, status)
}

// log writes the one event of a request: never its query, headers or bodies. The logger adds transaction_id and trace_id.
func (a *API) log(r *http.Request, x *exchange, outcome ...slog.Attr) {
	level := slog.LevelInfo
	if x.route != nil && x.route.Quiet {
		level = slog.LevelDebug
	}
	attrs := append(outcome, slog.String("method", r.Method))
	if x.principal.User != "" {
		attrs = append(attrs, slog.String("user", string(x.principal.User)), slog.String("org", string(x.principal.Org)))
	}
	if x.failure != nil {
		attrs = append(attrs, slog.String("error", x.failure.Error()))
		if firemode.CodeOf(x.failure) == firemode.CodeInternal {
			level = slog.LevelError
		}
	}
	a.Logger.LogAttrs(r.Context(), level, "request", attrs...)
}

var wellFormedID = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,128}$`)

// requestID keeps the client's id if it is well formed, so that one id follows a request through all systems.
func requestID(r *http.Request, mint func() string) string {
	if id := r.Header.Get("X-Request-ID"); wellFormedID.MatchString(id) {
		return id
	}
	return mint()
}

// remoteHost is the address of the other end of the connection. Forwarding headers are not believed: anybody can write them.
func remoteHost(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

func setSafeHeaders(h http.Header, id string) {
	h.Set("X-Request-ID", id)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Cache-Control", "no-store")
}

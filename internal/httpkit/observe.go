package httpkit

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
func (s *Server) observe(rw http.ResponseWriter, r *http.Request, next http.HandlerFunc) {
	x := &State{ID: requestID(r, s.newID), started: s.now(), query: r.URL.RawQuery, Remote: remoteHost(r)}
	r, known := tidied(r)
	x.path = r.URL.EscapedPath()
	r = r.WithContext(withState(s.spans.start(r, x, rw.Header()), x))
	w := &response{ResponseWriter: rw, request: r, x: x, drain: s.drain, pause: s.limits.Pause, now: s.now}
	setSafeHeaders(w.Header(), x.ID)
	z := compressed(w, r)
	defer s.conclude(w, r)
	defer s.hurry(rw, r, x)
	defer x.end()
	defer z.Close()
	defer s.recoverPanic(z, r)
	if !known {
		s.fail(z, r, firemode.NotFound("there is nothing at this path"))
		return
	}
	next(z, r)
}

// recoverPanic answers 500 for a handler that panicked, or has given up with http.ErrAbortHandler.
func (s *Server) recoverPanic(w *compressor, r *http.Request) {
	v := recover()
	if v == nil {
		return
	}
	x := StateOf(r.Context())
	if v != http.ErrAbortHandler { //nolint:errorlint // net/http compares it so
		s.report.Logger.LogAttrs(r.Context(), slog.LevelError, "panic",
			slog.String("panic", fmt.Sprint(v)), slog.String("stack", string(debug.Stack())))
		x.failure = errors.New("panic, see the log")
	}
	s.fail(w, r, cmp.Or(x.failure, errors.New("the handler gave up")))
}

func (s *Server) conclude(w *response, r *http.Request) {
	x := w.x
	took := s.now().Sub(x.started)
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
	s.report.Metrics.ObserveRequest(r.Context(), r.Method, pattern, status, took)
	if x.Claim != nil && x.Claim.Replayed {
		s.report.Metrics.Replayed()
	}
	s.log(r, x, slog.Int("status", status), slog.Int64("bytes", w.bytes), slog.Duration("took", took), slog.String("route", pattern))
	s.warnIfSlow(r, x, took)
	s.spans.end(r, x, status)
}

// log writes the one event of a request: never its query, headers or bodies. The logger adds transaction_id and trace_id.
func (s *Server) log(r *http.Request, x *State, outcome ...slog.Attr) {
	level := slog.LevelInfo
	if x.route != nil && x.route.Quiet {
		level = slog.LevelDebug
	}
	attrs := append(outcome, slog.String("method", r.Method))
	if x.Caller.Principal.User != "" {
		attrs = append(attrs, slog.String("user", string(x.Caller.Principal.User)), slog.String("org", string(x.Caller.Principal.Org)))
	}
	if x.failure != nil {
		attrs = append(attrs, slog.String("error", x.failure.Error()))
		if firemode.CodeOf(x.failure) == firemode.CodeInternal {
			level = slog.LevelError
		}
	}
	s.report.Logger.LogAttrs(r.Context(), level, "request", attrs...)
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

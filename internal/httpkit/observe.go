package httpkit

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"regexp"
	"runtime/debug"

	"firemode"
)

// observe is the outermost middleware. It gives the request its state and its id, cleans the path,
// recovers from panics, compresses the response, and reports the request once.
func (s *Server) observe(rw http.ResponseWriter, r *http.Request, next http.HandlerFunc) {
	x := &State{ID: requestID(r, s.newID), started: s.now(), query: r.URL.RawQuery, Remote: remoteHost(r)}
	r, clean := cleanPath(r)
	x.path = r.URL.EscapedPath()
	r = r.WithContext(withState(s.reporter.spans.start(r, x, rw.Header()), x))
	w := &response{ResponseWriter: rw, request: r, x: x, drain: s.drain, pause: s.pause, now: s.now}
	setSafeHeaders(w.Header(), x.ID)
	z := compressed(w, r)
	defer s.reporter.report(w, r)
	defer s.setFinalDeadlines(rw, r, x)
	defer x.end()
	defer z.Close()
	defer s.recoverPanic(z, r)
	if !clean {
		writeProblem(z, r, errNoPath())
		return
	}
	next(z, r)
}

// recoverPanic answers 500 if the handler panicked or aborted with http.ErrAbortHandler.
func (s *Server) recoverPanic(w *compressor, r *http.Request) {
	v := recover()
	if v == nil {
		return
	}
	x := StateOf(r.Context())
	if v != http.ErrAbortHandler { //nolint:errorlint // net/http compares it so
		s.reporter.Logger.LogAttrs(r.Context(), slog.LevelError, "panic",
			slog.String("panic", fmt.Sprint(v)), slog.String("stack", string(debug.Stack())))
		x.failure = errors.New("panic, see the log")
	}
	writeProblem(w, r, cmp.Or(x.failure, errors.New("the handler aborted")))
}

// setFinalDeadlines gives the client one pause to send what is left of the body, and one more to take
// what is left of the response. net/http reads the body to its end before the response leaves, to
// keep the connection open, and would wait without limit.
func (s *Server) setFinalDeadlines(w http.ResponseWriter, r *http.Request, x *State) {
	// The recorders of tests support no deadlines, which is an error here.
	control, now := http.NewResponseController(w), s.now()
	if r.ContentLength != 0 && !x.received {
		_ = control.SetReadDeadline(now.Add(s.pause))
	}
	_ = control.SetWriteDeadline(now.Add(2 * s.pause))
}

func errNoPath() error { return firemode.NotFound("there is nothing at this path") }

var wellFormedID = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,128}$`)

// requestID keeps the client's id if it is well formed, so that one id follows a request through all
// systems.
func requestID(r *http.Request, mint func() string) string {
	if id := r.Header.Get("X-Request-ID"); wellFormedID.MatchString(id) {
		return id
	}
	return mint()
}

// remoteHost returns the address of the other end of the connection. It ignores forwarding headers,
// which any client can set.
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

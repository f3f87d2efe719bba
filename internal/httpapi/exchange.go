package httpapi

import (
	"context"
	"net/http"
	"slices"
	"time"

	"go.opentelemetry.io/otel/trace"

	"firemode"
	"firemode/internal/identity"
	"firemode/internal/store"
)

// exchange is what the frame knows about one request and its answer. It is made by observe, filled on the way in, and read
// when the answer is logged. One goroutine uses it.
type exchange struct {
	id        string // the X-Request-ID
	started   time.Time
	path      string // tidied: no empty segments, no trailing slash
	query     string // raw
	remote    string // address of the caller, without the port
	route     *Route // nil when no route matched
	principal firemode.Principal
	claims    identity.Claims
	received  bool   // the body has been read to its end
	body      []byte // decoded, on routes that buffer it
	bodyLines bool   // the body is of mediaLines
	lines     bool   // so is the answer to be, unless it is an error
	claim     *store.Idempotency
	span      trace.Span
	watch     *firemode.Stopwatch // of critical routes, else nil
	failure   error               // what the answer does not say
	ends      []func()
}

// atEnd registers what gives back a resource once the request has been answered.
func (x *exchange) atEnd(f func()) { x.ends = append(x.ends, f) }

// end runs what atEnd registered, last first.
func (x *exchange) end() {
	for _, f := range slices.Backward(x.ends) {
		f()
	}
}

type exchangeKey struct{}

func withExchange(ctx context.Context, x *exchange) context.Context {
	return firemode.WithRequestID(context.WithValue(ctx, exchangeKey{}, x), x.id)
}

func exchangeOf(ctx context.Context) *exchange {
	x, _ := ctx.Value(exchangeKey{}).(*exchange)
	return x
}

// response counts what goes out, and sets at the last moment the headers that only the outcome tells.
type response struct {
	http.ResponseWriter
	request *http.Request
	x       *exchange
	status  int
	bytes   int64
	mute    bool // the body is not wanted: 304
	drain   *Drain
	pause   time.Duration // that the client may make before it takes the next piece
	now     func() time.Time
}

// pieceSize is how much of an answer is sent at a time: what a link that is slow, and not dead, takes within a pause.
const pieceSize = 64 << 10

// expect gives the client until the pause is over to take what is written next: whoever has stopped must not keep what the answer is
// read from, a snapshot of the database.
func (w *response) expect() {
	// Not supported means a recorder in a test.
	_ = http.NewResponseController(w.ResponseWriter).SetWriteDeadline(w.now().Add(w.pause))
}

// Unwrap lets http.ResponseController reach the connection.
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *response) WriteHeader(status int) {
	if w.status != 0 {
		return
	}
	if status < http.StatusOK {
		w.ResponseWriter.WriteHeader(status)
		return
	}
	if w.x.claim != nil && w.x.claim.Replayed {
		w.Header().Set("Idempotency-Replayed", "true")
	}
	if status == http.StatusOK && notModified(w.request, w.Header().Get("ETag")) {
		status = http.StatusNotModified
		w.mute = true
		w.Header().Del("Content-Type")
		w.Header().Del("Content-Length")
		w.Header().Del("Content-Encoding")
	}
	if w.drain.stopping() {
		w.Header().Set("Connection", "close")
	}
	w.status = status
	w.expect()
	w.ResponseWriter.WriteHeader(status)
}

func (w *response) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if w.mute {
		return len(p), nil
	}
	sent := 0
	for {
		w.expect()
		n, err := w.ResponseWriter.Write(p[sent:min(len(p), sent+pieceSize)])
		sent += n
		w.bytes += int64(n)
		if err != nil || sent == len(p) {
			return sent, err
		}
	}
}

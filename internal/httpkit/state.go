package httpkit

import (
	"context"
	"slices"
	"time"

	"go.opentelemetry.io/otel/trace"

	"firemode"
	"firemode/internal/store"
)

// State is the request state: what the Server knows about one request and its response. The Server
// fills it before the handler runs, and reads it when it reports the request. One goroutine uses it.
type State struct {
	ID     string // the X-Request-ID
	Remote string // address of the client, without the port
	Caller Caller // zero on a route that needs no token

	Body      []byte              // decoded, on a route that buffers it
	BodyLines bool                // the body is of MediaLines
	Lines     bool                // the response is to be of MediaLines, unless it is an error
	Claim     *store.Idempotency  // nil without an Idempotency-Key
	Watch     *firemode.Stopwatch // on a critical route, else nil

	started  time.Time
	path     string // clean: no empty segments, no trailing slash; escaped
	query    string // raw
	route    *Route // nil if no route matched
	received bool   // the body has been read to its end
	span     trace.Span
	failure  error // the cause of an error response, for the log
	ends     []func()
}

// List identifies the list that a request asks for by its path and filters.
func (x *State) List() string { return x.path + "?" + filters(x.query) }

// atEnd registers a function that releases a resource after the response.
func (x *State) atEnd(f func()) { x.ends = append(x.ends, f) }

// end calls what atEnd registered, last first.
func (x *State) end() {
	for _, f := range slices.Backward(x.ends) {
		f()
	}
}

// stateKey is the one context key of the transport.
type stateKey struct{}

func withState(ctx context.Context, x *State) context.Context {
	return firemode.WithRequestID(context.WithValue(ctx, stateKey{}, x), x.ID)
}

// StateOf returns the state of the request that ctx serves, nil outside one.
func StateOf(ctx context.Context) *State {
	x, _ := ctx.Value(stateKey{}).(*State)
	return x
}

package httpkit

import (
	"context"
	"slices"
	"time"

	"go.opentelemetry.io/otel/trace"

	"firemode"
	"firemode/internal/store"
)

// State is what the Server knows about one request and its answer. The Server fills it before the handler runs, and reads it when
// the answer is logged. One goroutine uses it.
type State struct {
	ID     string // the X-Request-ID
	Remote string // address of the caller, without the port
	Caller Caller // zero where the route needs no token

	Body      []byte              // decoded, on routes that buffer it
	BodyLines bool                // the body is of MediaLines
	Lines     bool                // the answer is to be of MediaLines, unless it is an error
	Claim     *store.Idempotency  // nil without an Idempotency-Key
	Watch     *firemode.Stopwatch // of critical routes, else nil

	started  time.Time
	path     string // clean: no empty segments, no trailing slash
	query    string // raw
	route    *Route // nil when no route matched
	received bool   // the body has been read to its end
	span     trace.Span
	failure  error // what the answer does not say
	ends     []func()
}

// atEnd registers what gives back a resource once the request has been answered.
func (x *State) atEnd(f func()) { x.ends = append(x.ends, f) }

// end runs what atEnd registered, last first.
func (x *State) end() {
	for _, f := range slices.Backward(x.ends) {
		f()
	}
}

type stateKey struct{}

func withState(ctx context.Context, x *State) context.Context {
	return firemode.WithRequestID(context.WithValue(ctx, stateKey{}, x), x.ID)
}

// StateOf returns the state of the request that ctx serves, nil outside one.
func StateOf(ctx context.Context) *State {
	x, _ := ctx.Value(stateKey{}).(*State)
	return x
}

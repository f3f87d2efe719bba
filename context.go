package firemode

import "context"

// The keys of what a context carries. Each has one setter and one getter in this file.
type (
	principalKey struct{}
	requestIDKey struct{}
	stopwatchKey struct{}
)

// WithPrincipal returns a context in which work is done for p.
func WithPrincipal(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

// PrincipalFrom returns the principal that ctx works for. ok is false outside an authenticated
// request.
func PrincipalFrom(ctx context.Context) (p Principal, ok bool) {
	p, ok = ctx.Value(principalKey{}).(Principal)
	return p, ok
}

// Caller returns the principal that ctx works for. It fails with CodeUnauthenticated if there is
// none, or if it belongs to no organisation.
func Caller(ctx context.Context) (Principal, error) {
	p, ok := PrincipalFrom(ctx)
	if !ok || p.Org == "" {
		return Principal{}, Unauthenticated("sign in first")
	}
	return p, nil
}

// WithRequestID returns a context that carries the id of the request: the transaction_id of errors
// and log lines.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestIDKey{}, id)
}

// RequestID returns the id of the request that ctx serves, "" outside one.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

// WithStopwatch returns a context whose work is timed by w.
func WithStopwatch(ctx context.Context, w *Stopwatch) context.Context {
	return context.WithValue(ctx, stopwatchKey{}, w)
}

// StopwatchOf returns the stopwatch that ctx carries, nil for none.
func StopwatchOf(ctx context.Context) *Stopwatch {
	w, _ := ctx.Value(stopwatchKey{}).(*Stopwatch)
	return w
}

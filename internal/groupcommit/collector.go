// Package groupcommit runs the work of many callers in few groups: while one group runs, what
// arrives meanwhile collects and becomes the next. Nothing is held back to make a group larger: the
// item of a single caller runs at once, as a group of one.
//
// It promises:
//
//   - An item that Do has handed over is run to its end, even if its caller gives up.
//   - Do returns nil only for an item whose run reported success.
//   - Groups run one after the other, in order of arrival.
//   - One bad item does not fail the others of its group; see Undone.
//   - No caller waits for a worker that has died: it gets an error that tells it to retry.
//
// The package does not know what the work is.
package groupcommit

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"firemode"
)

// Collector hands items to its run function, in groups. It is safe for concurrent use.
type Collector[T any] struct {
	// unbuffered: an item is handed over when the worker takes it, and can be withdrawn until then
	queue    chan call[T]
	max      int
	run      func(ctx context.Context, items []T) []error
	tracer   trace.Tracer
	name     string // of the spans of groups
	finished chan struct{}
	begin    sync.Once // starts the worker
	worker   *Liveness

	mu      sync.Mutex
	closed  bool
	callers sync.WaitGroup // those inside Do
}

type call[T any] struct {
	item  T
	done  chan error // holds one, so that the worker never waits for a caller that has left
	span  trace.Span // of the caller
	watch *firemode.Stopwatch
}

// New returns a collector whose groups hold at most limit items, at least 1. run does the work of
// one group and returns one error for each item, in the same order, or nil if all succeeded. The
// context of run is never cancelled and carries nothing of the callers but a stopwatch for all of
// theirs; run sets its own deadline. The worker starts with the first item, unless Supervise has
// started it before. Close stops it.
func New[T any](limit int, run func(ctx context.Context, items []T) []error) *Collector[T] {
	return NewTraced(limit, noop.Tracer{}, "", run)
}

// NewTraced is New with a span of that name for each group, in the context of run; see Span.
func NewTraced[T any](limit int, tracer trace.Tracer, name string, run func(ctx context.Context,
	items []T) []error,
) *Collector[T] {
	c := &Collector[T]{
		queue:    make(chan call[T]),
		max:      max(limit, 1),
		run:      run,
		tracer:   tracer,
		name:     name,
		finished: make(chan struct{}),
		worker:   NewLiveness(),
	}
	return c
}

// Do runs item in a group and returns the error that run returned for it. If ctx ends first, Do
// returns the error of ctx: an item that has been handed over is still run, any other never is.
func (c *Collector[T]) Do(ctx context.Context, item T) error {
	down, err := c.enter()
	if err != nil {
		return err
	}
	defer c.callers.Done()
	if err := ctx.Err(); err != nil {
		return err
	}
	one := call[T]{
		item: item, done: make(chan error, 1), span: trace.SpanFromContext(ctx),
		watch: firemode.StopwatchOf(ctx),
	}
	one.watch.Lap(firemode.StageOther)
	if err := c.handOver(ctx, one, down); err != nil {
		return err
	}
	select {
	case err := <-one.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// handOver waits until the worker takes one, or down is closed because there is no worker.
func (c *Collector[T]) handOver(ctx context.Context, one call[T], down <-chan struct{}) error {
	select {
	case c.queue <- one:
		return nil
	case <-down:
		return ErrDown
	case <-ctx.Done():
		return ctx.Err()
	}
}

// collect returns the group that begins with first and takes what is queued now. It does not wait.
func (c *Collector[T]) collect(first call[T]) []call[T] {
	group := []call[T]{first}
	for len(group) < c.max {
		select {
		case next, open := <-c.queue:
			if !open {
				return group
			}
			group = append(group, next)
		default:
			return group
		}
	}
	return group
}

func (c *Collector[T]) serve(ctx context.Context, group []call[T]) {
	done := 0
	defer func() { lose(group[done:]) }()
	for i, err := range c.try(ctx, group) {
		if undone := (*undoneError)(nil); errors.As(err, &undone) {
			err = undone.err
			if len(group) > 1 {
				err = c.alone(ctx, group[i])
			}
		}
		group[i].done <- err
		done++
	}
}

// alone retries an item as a group of one, so that no other item can fail it.
func (c *Collector[T]) alone(ctx context.Context, one call[T]) error {
	err := c.try(ctx, []call[T]{one})[0]
	if undone := (*undoneError)(nil); errors.As(err, &undone) {
		return undone.err
	}
	return err
}

// try returns one outcome for each item, even if run panics or returns the wrong number of them.
func (c *Collector[T]) try(ctx context.Context, group []call[T]) (outcomes []error) {
	ctx, span := c.follow(context.WithoutCancel(ctx), group)
	defer span.End()
	defer func() {
		if p := recover(); p != nil {
			span.SetStatus(codes.Error, "panic")
			outcomes = All(len(group), fmt.Errorf("groupcommit: panic in a group of %d: %v\n%s", len(group), p,
				debug.Stack()))
		}
	}()
	items := make([]T, len(group))
	for i, one := range group {
		items[i] = one.item
	}
	outcomes = c.run(ctx, items)
	switch len(outcomes) {
	case len(items):
		if undone := (*undoneError)(nil); errors.As(outcomes[0], &undone) {
			span.SetStatus(codes.Error, "undone")
		}
		return outcomes
	case 0:
		return make([]error, len(items))
	default:
		return All(len(items), fmt.Errorf("groupcommit: run returned %d outcomes for %d items", len(outcomes),
			len(items)))
	}
}

// follow returns ctx with the span of a group, if a caller is sampled, and with the stopwatches of
// the callers that have one.
func (c *Collector[T]) follow(ctx context.Context, group []call[T]) (context.Context, trace.Span) {
	ctx, span := Span(ctx, c.tracer, c.name, func(yield func(trace.Span) bool) {
		for _, one := range group {
			if !yield(one.span) {
				return
			}
		}
	})
	watches := make([]*firemode.Stopwatch, len(group))
	for i, one := range group {
		watches[i] = one.watch
	}
	if together := firemode.Together(watches); together != nil {
		ctx = firemode.WithStopwatch(ctx, together)
	}
	return ctx, span
}

// All returns the outcomes of a group of n items that all ended with err.
func All(n int, err error) []error {
	outcomes := make([]error, n)
	for i := range outcomes {
		outcomes[i] = err
	}
	return outcomes
}

// Undone returns the outcomes of a group of n items that failed as a whole with err and left
// nothing behind. The collector then retries the items one by one, and each gets the outcome of its
// own run. Do not use it if the outcome is unknown.
func Undone(n int, err error) []error { return All(n, &undoneError{err}) }

type undoneError struct{ err error }

func (e *undoneError) Error() string { return e.err.Error() }
func (e *undoneError) Unwrap() error { return e.err }

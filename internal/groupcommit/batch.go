// Package batch carries the work of many callers in few groups: while one group runs, what arrives meanwhile collects and
// becomes the next. Nothing waits for company: a caller that is alone runs at once, as a group of one.
//
// It promises that an item that Do has handed over is run to its end, whether or not its caller stays; that Do returns nil
// only for an item whose run reported success; that groups run one after the other, in order of arrival; that one bad
// item cannot fail the others of its group, see Undone; and that no caller waits for a worker that has died: it gets an error that tells
// it to try again. It does not know what the work is.
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
	queue    chan call[T] // unbuffered: an item is handed over when the worker takes it, and can be withdrawn until then
	max      int
	run      func(ctx context.Context, items []T) []error
	tracer   trace.Tracer
	name     string // of the spans of groups
	finished chan struct{}
	begin    sync.Once // of the worker
	worker   *Presence

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

// New returns a collector whose groups hold at most limit items, at least 1. run does the work of one group and reports on each
// item by its place in the slice; nil means that all went well. Its context carries nothing of the callers but a stopwatch that stands for
// all of theirs, and is never cancelled: a deadline is run's own to set. The worker begins with the first item, unless Supervise has begun
// it before. Close stops it.
func New[T any](limit int, run func(ctx context.Context, items []T) []error) *Collector[T] {
	return Traced(limit, noop.Tracer{}, "", run)
}

// Traced is New for groups that have spans of that name, which run's context then carries; see Span.
func Traced[T any](limit int, tracer trace.Tracer, name string, run func(ctx context.Context, items []T) []error) *Collector[T] {
	c := &Collector[T]{
		queue:    make(chan call[T]),
		max:      max(limit, 1),
		run:      run,
		tracer:   tracer,
		name:     name,
		finished: make(chan struct{}),
		worker:   NewPresence(),
	}
	return c
}

// Do runs item in a group and returns what run reported on it. It returns ctx's error if ctx ends first: then an item
// that had been handed over is still run, and one that had not never is.
func (c *Collector[T]) Do(ctx context.Context, item T) error {
	gone, err := c.enter()
	if err != nil {
		return err
	}
	defer c.callers.Done()
	if err := ctx.Err(); err != nil {
		return err
	}
	one := call[T]{item: item, done: make(chan error, 1), span: trace.SpanFromContext(ctx), watch: firemode.StopwatchOf(ctx)}
	one.watch.Lap(firemode.StageOther)
	if err := c.handOver(ctx, one, gone); err != nil {
		return err
	}
	select {
	case err := <-one.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// handOver waits for the worker to take one; gone is closed when there is no worker.
func (c *Collector[T]) handOver(ctx context.Context, one call[T], gone <-chan struct{}) error {
	select {
	case c.queue <- one:
		return nil
	case <-gone:
		return ErrDown
	case <-ctx.Done():
		return ctx.Err()
	}
}

// collect takes what is waiting now, and waits for nothing.
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
	answered := 0
	defer func() { lose(group[answered:]) }()
	for i, err := range c.try(ctx, group) {
		if undone := (*undoneError)(nil); errors.As(err, &undone) {
			err = undone.err
			if len(group) > 1 {
				err = c.alone(ctx, group[i])
			}
		}
		group[i].done <- err
		answered++
	}
}

// alone runs an item again as a group of one, so that only its own fault can fail it.
func (c *Collector[T]) alone(ctx context.Context, one call[T]) error {
	err := c.try(ctx, []call[T]{one})[0]
	if undone := (*undoneError)(nil); errors.As(err, &undone) {
		return undone.err
	}
	return err
}

// try returns one outcome for each item, also when run panics or miscounts.
func (c *Collector[T]) try(ctx context.Context, group []call[T]) (outcomes []error) {
	ctx, span := c.follow(context.WithoutCancel(ctx), group)
	defer span.End()
	defer func() {
		if p := recover(); p != nil {
			span.SetStatus(codes.Error, "panic")
			outcomes = All(len(group), fmt.Errorf("batch: panic in a group of %d: %v\n%s", len(group), p, debug.Stack()))
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
		return All(len(items), fmt.Errorf("batch: %d outcomes were reported for %d items", len(outcomes), len(items)))
	}
}

// follow returns ctx as the context of a group: with its span, if a caller is sampled, and with the stopwatches of those that have one.
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

// All is what run returns when err is the outcome of each of n items.
func All(n int, err error) []error {
	outcomes := make([]error, n)
	for i := range outcomes {
		outcomes[i] = err
	}
	return outcomes
}

// Undone is what run returns when err failed its group of n as a whole and nothing of it was done: the items are then run again one
// by one, and one that fails alone has the error it failed with. Do not use it when the outcome is unknown.
func Undone(n int, err error) []error { return All(n, &undoneError{err}) }

type undoneError struct{ err error }

func (e *undoneError) Error() string { return e.err.Error() }
func (e *undoneError) Unwrap() error { return e.err }

// Package batch carries the work of many callers in few groups: while one group runs, what arrives meanwhile collects and
// becomes the next. Nothing waits for company: a caller that is alone runs at once, as a group of one.
//
// It promises that an item that Do has handed over is run to its end, whether or not its caller stays; that Do returns nil
// only for an item whose run reported success; that groups run one after the other, in order of arrival; and that one bad
// item cannot fail the others of its group, see Undone. It does not know what the work is.
package batch

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// ErrClosed says that Close was called before the item was handed over: nothing of it was done.
var ErrClosed = errors.New("batch: the collector is closed")

// Collector hands items to its run function, in groups. It is safe for concurrent use.
type Collector[T any] struct {
	queue    chan call[T] // unbuffered: an item is handed over when the worker takes it, and can be withdrawn until then
	max      int
	run      func(ctx context.Context, items []T) []error
	finished chan struct{}
	waiting  atomic.Int64 // callers inside Do whose item has not been handed over

	mu      sync.Mutex
	closed  bool
	callers sync.WaitGroup // those inside Do
}

type call[T any] struct {
	item T
	done chan error // holds one, so that the worker never waits for a caller that has left
}

// New starts a collector whose groups hold at most limit items, at least 1. run does the work of one group and reports on each
// item by its place in the slice; nil means that all went well. Its context carries nothing of the callers and is never cancelled: a
// deadline is run's own to set. Close stops the collector.
func New[T any](limit int, run func(ctx context.Context, items []T) []error) *Collector[T] {
	c := &Collector[T]{
		queue:    make(chan call[T]),
		max:      max(limit, 1),
		run:      run,
		finished: make(chan struct{}),
	}
	go c.work()
	return c
}

// Do runs item in a group and returns what run reported on it. It returns ctx's error if ctx ends first: then an item
// that had been handed over is still run, and one that had not never is.
func (c *Collector[T]) Do(ctx context.Context, item T) error {
	if !c.enter() {
		return ErrClosed
	}
	defer c.callers.Done()
	if err := ctx.Err(); err != nil {
		return err
	}
	one := call[T]{item: item, done: make(chan error, 1)}
	if err := c.handOver(ctx, one); err != nil {
		return err
	}
	select {
	case err := <-one.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *Collector[T]) handOver(ctx context.Context, one call[T]) error {
	c.waiting.Add(1)
	defer c.waiting.Add(-1)
	select {
	case c.queue <- one:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Waiting returns how many items wait to become part of a group.
func (c *Collector[T]) Waiting() int { return int(c.waiting.Load()) }

// Close refuses new items, waits until those of all callers inside Do have been run, and stops the worker. It may be called
// again.
func (c *Collector[T]) Close() {
	c.mu.Lock()
	first := !c.closed
	c.closed = true
	c.mu.Unlock()
	if first {
		c.callers.Wait()
		close(c.queue)
	}
	<-c.finished
}

func (c *Collector[T]) enter() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.callers.Add(1)
	}
	return !c.closed
}

func (c *Collector[T]) work() {
	defer close(c.finished)
	for first := range c.queue {
		c.serve(c.collect(first))
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

func (c *Collector[T]) serve(group []call[T]) {
	items := make([]T, len(group))
	for i, one := range group {
		items[i] = one.item
	}
	for i, err := range c.try(items) {
		if undone := (*undoneError)(nil); errors.As(err, &undone) {
			err = undone.err
			if len(group) > 1 {
				err = c.alone(items[i])
			}
		}
		group[i].done <- err
	}
}

// alone runs an item again as a group of one, so that only its own fault can fail it.
func (c *Collector[T]) alone(item T) error {
	err := c.try([]T{item})[0]
	if undone := (*undoneError)(nil); errors.As(err, &undone) {
		return undone.err
	}
	return err
}

// try returns one outcome for each item, also when run panics or miscounts.
func (c *Collector[T]) try(items []T) (outcomes []error) {
	defer func() {
		if p := recover(); p != nil {
			outcomes = All(len(items), fmt.Errorf("batch: panic in a group of %d: %v\n%s", len(items), p, debug.Stack()))
		}
	}()
	outcomes = c.run(context.Background(), items)
	switch len(outcomes) {
	case len(items):
		return outcomes
	case 0:
		return make([]error, len(items))
	default:
		return All(len(items), fmt.Errorf("batch: %d outcomes were reported for %d items", len(outcomes), len(items)))
	}
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

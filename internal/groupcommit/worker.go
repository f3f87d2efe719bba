package groupcommit

import (
	"context"
	"time"

	"firemode"
)

// The errors of Do that are the collector's own. All of them are CodeUnavailable: the caller may
// retry.
var (
	// ErrClosed says that the collector was closed before the item was handed over: nothing was
	// done.
	ErrClosed error = firemode.Unavailable(time.Second, "the server is stopping")
	// ErrDown says that the worker has died, did not restart within a second, and had not taken the
	// item: nothing was done.
	ErrDown error = firemode.Unavailable(time.Second, "the server cannot save changes at the moment; nothing was "+
		"saved; retry")
	// ErrLost says that the worker died after it had taken the item, which may have been done or
	// not.
	ErrLost error = firemode.Unavailable(time.Second,
		"the change may or may not have been saved; retry with the same Idempotency-Key")
)

// Start runs work in the background until it returns nil, and restarts it after an error, a panic
// or the end of its goroutine.
type Start func(work func(context.Context) error)

// Unsupervised is a Start without a supervisor. A panic ends the process.
func Unsupervised(work func(context.Context) error) {
	go func() {
		ended := false
		defer func() {
			if !ended { // the goroutine was ended from within, as a test's FailNow does
				Unsupervised(work)
			}
		}()
		ended = work(context.Background()) == nil
	}()
}

// Supervise starts the worker with start, which restarts it if it dies; nil does nothing. Call it
// before the first Do. The end of the context that the worker gets closes the collector as Close
// does; the contexts of groups have its values.
func (c *Collector[T]) Supervise(start Start) {
	if start != nil {
		c.begin.Do(func() { start(c.work) })
	}
}

// startUnsupervised starts the worker unless it was started before.
func (c *Collector[T]) startUnsupervised() { c.begin.Do(func() { Unsupervised(c.work) }) }

// enter counts a caller in; the caller counts itself out with c.callers.Done. down is closed while
// there is no worker.
func (c *Collector[T]) enter() (down <-chan struct{}, err error) {
	c.startUnsupervised()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, ErrClosed
	}
	c.callers.Add(1)
	return c.worker.Down(), nil
}

// Close refuses new items, waits until those of all callers inside Do have been run, and stops the
// worker. A second call waits too.
func (c *Collector[T]) Close() {
	c.startUnsupervised()
	c.shut()
	select {
	case <-c.finished:
	case <-c.worker.Down(): // no item is left: their callers got ErrDown
	}
}

// shut lets the worker end once the callers inside Do have been served.
func (c *Collector[T]) shut() {
	c.mu.Lock()
	first := !c.closed
	c.closed = true
	c.mu.Unlock()
	if first {
		c.callers.Wait()
		close(c.queue)
	}
}

// work serves group after group until the collector is closed.
func (c *Collector[T]) work(ctx context.Context) error {
	c.worker.Started()
	ended := false
	defer func() {
		if ended {
			close(c.finished)
		} else {
			c.worker.Died(nil)
		}
	}()
	stop := context.AfterFunc(ctx, c.shut)
	defer stop()
	for first := range c.queue {
		c.serve(ctx, c.collect(first))
	}
	ended = true
	return nil
}

// lose ends the calls of a group whose worker died.
func lose[T any](group []call[T]) {
	for _, one := range group {
		one.done <- ErrLost
	}
}

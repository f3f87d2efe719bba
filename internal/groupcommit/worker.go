package groupcommit

import (
	"context"
	"time"

	"firemode"
)

// The errors of Do that are the collector's own. All of them are CodeUnavailable: the same item may be brought again.
var (
	// ErrClosed says that the collector was closed before the item was handed over: nothing of it was done.
	ErrClosed error = firemode.Unavailable(time.Second, "the server is stopping")
	// ErrDown says that the worker died and has not been back for a second, and that the item was not handed over: nothing of it
	// was done.
	ErrDown error = firemode.Unavailable(time.Second, "this cannot be written just now; try again")
	// ErrLost says that the worker died with the item in its hands: it may have been done or not.
	ErrLost error = firemode.Unavailable(time.Second, "the change may or may not have been saved; try again with the same Idempotency-Key")
)

// Start runs work until it returns nil, calling it again after an error, a panic or the end of its goroutine. It does not wait
// for it.
type Start func(work func(context.Context) error)

// OnItsOwn is a Start for work that nobody looks after. A panic ends the process.
func OnItsOwn(work func(context.Context) error) {
	go func() {
		ended := false
		defer func() {
			if !ended { // something has ended the goroutine, as a test's FailNow does
				OnItsOwn(work)
			}
		}()
		ended = work(context.Background()) == nil
	}()
}

// Supervise hands the worker to somebody who restarts it if it dies; nil is nobody. It has to be called before the first Do. The end of
// the context that the worker gets closes the collector as Close does; the groups' contexts have its values.
func (c *Collector[T]) Supervise(start Start) {
	if start != nil {
		c.begin.Do(func() { start(c.work) })
	}
}

// onItsOwn begins the worker unless it has begun.
func (c *Collector[T]) onItsOwn() { c.begin.Do(func() { OnItsOwn(c.work) }) }

// enter counts a caller in, who must count itself out. The channel is closed while there is no worker.
func (c *Collector[T]) enter() (gone <-chan struct{}, err error) {
	c.onItsOwn()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, ErrClosed
	}
	c.callers.Add(1)
	return c.worker.Gone(), nil
}

// Close refuses new items, waits until those of all callers inside Do have been run, and stops the worker. It may be called
// again.
func (c *Collector[T]) Close() {
	c.onItsOwn()
	c.shut()
	select {
	case <-c.finished:
	case <-c.worker.Gone(): // there is nothing that it would have to do
	}
}

// shut lets the worker end once the callers that are inside have been served.
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
	c.worker.Arrive()
	ended := false
	defer func() {
		if ended {
			close(c.finished)
		} else {
			c.worker.Leave(nil)
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

// lose answers those whose worker died.
func lose[T any](group []call[T]) {
	for _, one := range group {
		one.done <- ErrLost
	}
}

package supervisor

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/thejerf/suture/v4"
)

// Status is the state of a service.
type Status struct {
	Name     string
	Up       bool
	Since    time.Time // of the last change of Up
	Retry    time.Time // next restart; zero while it is up, and after it has finished
	Restarts int       // since the first start
	Err      error     // last failure; nil without one
}

// child is one service of a group. suture calls its Serve.
type child struct {
	Service
	group  *Group
	cancel context.CancelFunc
	ended  chan struct{} // closed once suture has ended it

	mu       sync.Mutex
	status   Status
	failures int   // since the last steady run
	last     error // error of the run that Stop ended
}

var _ suture.Service = (*child)(nil)

// Serve pauses as long as the failures so far require, then runs the service once.
func (c *child) Serve(ctx context.Context) error {
	if !c.pause(ctx) {
		return suture.ErrDoNotRestart
	}
	returned := false
	defer func() {
		if v := recover(); !returned { // a panic, or runtime.Goexit if v is nil
			c.failed(ctx, crash(v))
		}
	}()
	err := c.Run(ctx)
	returned = true
	if err == nil || ctx.Err() != nil {
		c.finished(err)
		return suture.ErrDoNotRestart
	}
	c.failed(ctx, err)
	return err
}

// crash returns the error of a run that did not return.
func crash(v any) error {
	if v == nil {
		return errors.New("the goroutine ended without returning")
	}
	return fmt.Errorf("panic: %v\n%s", v, debug.Stack())
}

// pause waits for the time of the restart, and marks the service as running. It returns false if
// ctx ended before.
func (c *child) pause(ctx context.Context) bool {
	c.mu.Lock()
	failures := c.failures
	until := c.status.Retry
	c.mu.Unlock()
	if failures == 0 {
		return true
	}
	wait := time.NewTimer(until.Sub(c.group.Now()))
	defer wait.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-wait.C:
	}
	c.mu.Lock()
	c.status.Up, c.status.Since, c.status.Retry = true, c.group.Now(), time.Time{}
	c.status.Restarts++
	c.mu.Unlock()
	c.group.Observer.ServiceRestarted(c.Name)
	c.group.Observer.ServiceUp(c.Name, true)
	return true
}

// failed marks the service as down. Stop reports a failure that happens during the stop.
func (c *child) failed(ctx context.Context, err error) {
	if ctx.Err() != nil {
		c.finished(err)
		return
	}
	c.mu.Lock()
	now := c.group.Now()
	if now.Sub(c.status.Since) >= c.group.Backoff.Steady {
		c.failures = 0
	}
	c.failures++
	pause := c.group.Backoff.after(c.failures, c.group.Jitter())
	c.status.Up, c.status.Since, c.status.Retry, c.status.Err = false, now, now.Add(pause), err
	c.mu.Unlock()
	c.group.Observer.ServiceUp(c.Name, false)
	c.group.Observer.ServiceFailed(c.Name, err, pause)
}

// finished marks the service as down permanently.
func (c *child) finished(err error) {
	c.mu.Lock()
	c.status.Up, c.status.Since, c.last = false, c.group.Now(), err
	c.mu.Unlock()
	c.group.Observer.ServiceUp(c.Name, false)
}

// stop cancels the service and waits for its end until ctx ends. It returns the error of the
// service, but only once.
//
//nolint:revive // err comes from the service, not from stop
func (c *child) stop(ctx context.Context) (err error, ended bool) {
	c.cancel()
	select {
	case <-c.ended:
	default:
		select {
		case <-c.ended:
		case <-ctx.Done():
			return nil, false
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	err, c.last = c.last, nil
	if err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("%s: %w", c.Name, err), true
	}
	return nil, true
}

func (c *child) now() Status {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.status
}

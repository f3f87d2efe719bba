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

// Status is how a service is.
type Status struct {
	Name     string
	Up       bool
	Since    time.Time // when that began
	Retry    time.Time // when it is started again; zero while it is up, and once it has nothing left to do
	Restarts int       // since the start of the process
	Err      error     // the last failure; nil if there was none
}

// part is one service of a group, and what suture calls.
type part struct {
	Service
	group  *Group
	cancel context.CancelFunc
	ended  chan struct{} // closed once suture is done with it

	mu       sync.Mutex
	status   Status
	failures int   // since it last ran for long
	last     error // of the run that Stop has ended
}

var _ suture.Service = (*part)(nil)

// Serve is one run of the service, after the pause that its failures so far demand.
func (p *part) Serve(ctx context.Context) error {
	if !p.pause(ctx) {
		return suture.ErrDoNotRestart
	}
	returned := false
	defer func() {
		if v := recover(); !returned { // otherwise it is a panic, or runtime.Goexit
			p.failed(ctx, crash(v))
		}
	}()
	err := p.Run(ctx)
	returned = true
	if err == nil || ctx.Err() != nil {
		p.finished(err)
		return suture.ErrDoNotRestart
	}
	p.failed(ctx, err)
	return err
}

// crash is the error of a run that did not return.
func crash(v any) error {
	if v == nil {
		return errors.New("the goroutine was ended")
	}
	return fmt.Errorf("panic: %v\n%s", v, debug.Stack())
}

// pause waits as long as the failures so far demand, and marks the service as running. It returns false if ctx ended meanwhile.
func (p *part) pause(ctx context.Context) bool {
	p.mu.Lock()
	failures := p.failures
	until := p.status.Retry
	p.mu.Unlock()
	if failures == 0 {
		return true
	}
	wait := time.NewTimer(until.Sub(p.group.Now()))
	defer wait.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-wait.C:
	}
	p.mu.Lock()
	p.status.Up, p.status.Since, p.status.Retry = true, p.group.Now(), time.Time{}
	p.status.Restarts++
	p.mu.Unlock()
	p.group.Observer.ServiceRestarted(p.Name)
	p.group.Observer.ServiceUp(p.Name, true)
	return true
}

// failed marks the service as down. A failure on the way out is Stop's to tell.
func (p *part) failed(ctx context.Context, err error) {
	if ctx.Err() != nil {
		p.finished(err)
		return
	}
	p.mu.Lock()
	now := p.group.Now()
	if now.Sub(p.status.Since) >= p.group.Backoff.Steady {
		p.failures = 0
	}
	p.failures++
	pause := p.group.Backoff.after(p.failures, p.group.Jitter())
	p.status.Up, p.status.Since, p.status.Retry, p.status.Err = false, now, now.Add(pause), err
	p.mu.Unlock()
	p.group.Observer.ServiceUp(p.Name, false)
	p.group.Observer.ServiceFailed(p.Name, err, pause)
}

// finished marks the service as one that will not run again.
func (p *part) finished(err error) {
	p.mu.Lock()
	p.status.Up, p.status.Since, p.last = false, p.group.Now(), err
	p.mu.Unlock()
	p.group.Observer.ServiceUp(p.Name, false)
}

// stop asks the service to end and waits for it until ctx ends. What it returned is told once.
func (p *part) stop(ctx context.Context) (err error, ended bool) { //nolint:revive // the error is the service's, not stop's
	p.cancel()
	select {
	case <-p.ended:
	default:
		select {
		case <-p.ended:
		case <-ctx.Done():
			return nil, false
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	err, p.last = p.last, nil
	if err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("%s: %w", p.Name, err), true
	}
	return nil, true
}

func (p *part) now() Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.status
}

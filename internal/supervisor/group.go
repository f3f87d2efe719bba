package supervisor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/thejerf/suture/v4"
)

// Service is something that runs as long as the process.
type Service struct {
	// Name identifies the service in readiness and metrics.
	Name string
	// Run works until ctx ends, or until it has nothing left to do; then it returns nil. An error
	// or a panic is a failure. The group calls Run after each failure, but never concurrently.
	Run func(ctx context.Context) error
}

// Observer receives the events of services. Its methods must be fast, and are called concurrently.
type Observer interface {
	// ServiceUp reports that a service has started or stopped running.
	ServiceUp(name string, up bool)
	// ServiceRestarted reports one restart of a service.
	ServiceRestarted(name string)
	// ServiceFailed reports the error that ended a service, and the pause before its restart.
	ServiceFailed(name string, err error, pause time.Duration)
}

// Config of a Group.
type Config struct {
	Now      func() time.Time
	Jitter   func() float64 // random numbers in [0, 1)
	Observer Observer
	Backoff  Backoff // the zero value is DefaultBackoff()
}

// Validate returns an error that names what is missing or invalid.
func (c Config) Validate() error {
	switch {
	case c.Now == nil, c.Jitter == nil:
		return errors.New("supervisor: no clock or no jitter")
	case c.Observer == nil:
		return errors.New("supervisor: no observer")
	case c.Backoff.First <= 0, c.Backoff.Max < c.Backoff.First, c.Backoff.Steady <= 0:
		return errors.New("supervisor: invalid backoff")
	}
	return nil
}

// Group is a list of services in the order of their start. It is safe for concurrent use.
type Group struct {
	Config
	mu       sync.Mutex
	children []*child
	stopped  bool
}

// New returns a group without services.
func New(c Config) (*Group, error) {
	if c.Backoff == (Backoff{}) {
		c.Backoff = DefaultBackoff()
	}
	if err := c.Validate(); err != nil {
		return nil, err
	}
	return &Group{Config: c}, nil
}

// sutureTimeout exceeds any stop: Stop limits the wait, not suture.
const sutureTimeout = 24 * time.Hour

// Start starts s as the last service of the group. It fails if the name is taken or the group was
// stopped.
func (g *Group) Start(s Service) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.stopped:
		return fmt.Errorf("supervisor: %s: the group is stopped", s.Name)
	case g.find(s.Name) != nil:
		return fmt.Errorf("supervisor: service %s already exists", s.Name)
	}
	ctx, cancel := context.WithCancel(context.Background())
	c := &child{Service: s, group: g, cancel: cancel, ended: make(chan struct{})}
	c.status = Status{Name: s.Name, Up: true, Since: g.Now()}
	one := suture.New(s.Name, suture.Spec{
		EventHook:                func(suture.Event) {}, // the child calls the Observer
		FailureThreshold:         1e300,                 // suture never pauses
		FailureDecay:             1,
		Timeout:                  sutureTimeout,
		DontPropagateTermination: true,
	})
	one.Add(c)
	g.Observer.ServiceUp(s.Name, true)
	gone := one.ServeBackground(ctx)
	go func() {
		<-gone
		close(c.ended)
	}()
	g.children = append(g.children, c)
	return nil
}

// Stop stops the services in reverse order of their start, and waits for each until ctx ends; the
// remaining services are then stopped without waiting. The error joins the errors that the services
// returned, and a RunningError for services that still run. Stop may be called repeatedly, to wait
// for those.
func (g *Group) Stop(ctx context.Context) error {
	g.mu.Lock()
	g.stopped = true
	children := slices.Clone(g.children)
	g.mu.Unlock()
	var failed error
	var running []string
	for _, c := range slices.Backward(children) {
		err, ended := c.stop(ctx)
		failed = errors.Join(failed, err)
		if !ended {
			running = append(running, c.Name)
		}
	}
	if len(running) > 0 {
		failed = errors.Join(failed, &RunningError{running})
	}
	return failed
}

// RunningError names the services that were still running when Stop returned.
type RunningError struct{ Services []string }

func (e *RunningError) Error() string {
	return "did not stop in time: " + strings.Join(e.Services, ", ")
}

// Statuses returns the status of every service, in the order of their start.
func (g *Group) Statuses() []Status {
	g.mu.Lock()
	defer g.mu.Unlock()
	all := make([]Status, len(g.children))
	for i, c := range g.children {
		all[i] = c.now()
	}
	return all
}

// Status returns the status of the service with that name. A service that was never started is not
// up.
func (g *Group) Status(name string) Status {
	g.mu.Lock()
	defer g.mu.Unlock()
	if c := g.find(name); c != nil {
		return c.now()
	}
	return Status{Name: name}
}

func (g *Group) find(name string) *child {
	at := slices.IndexFunc(g.children, func(c *child) bool { return c.Name == name })
	if at < 0 {
		return nil
	}
	return g.children[at]
}

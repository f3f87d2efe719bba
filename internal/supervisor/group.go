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
	// Name is the one that readiness and metrics show.
	Name string
	// Run works until ctx ends. It returns nil when it has nothing left to do; what else it returns, and a panic, is a failure. It may
	// be called again after a failure, never twice at once.
	Run func(ctx context.Context) error
}

// Observer is told what happens to services. Its methods must be quick, and may be called by several goroutines at once.
type Observer interface {
	// ServiceUp tells that a service runs, or does not any more.
	ServiceUp(name string, up bool)
	// ServiceRestarted is called once for each time that a service is started again.
	ServiceRestarted(name string)
	// ServiceFailed tells why a service does not run, and how long the pause before the next start is.
	ServiceFailed(name string, err error, pause time.Duration)
}

// Config of a Group.
type Config struct {
	Now      func() time.Time
	Jitter   func() float64 // chance, in [0, 1)
	Observer Observer
	Backoff  Backoff // DefaultBackoff unless told
}

// Validate says what is missing.
func (c Config) Validate() error {
	switch {
	case c.Now == nil, c.Jitter == nil:
		return errors.New("supervisor: no clock or no chance")
	case c.Observer == nil:
		return errors.New("supervisor: no observer")
	case c.Backoff.First <= 0, c.Backoff.Most < c.Backoff.First, c.Backoff.Steady <= 0:
		return errors.New("supervisor: the backoff makes no sense")
	}
	return nil
}

// Group is services in the order of their start. It is safe for concurrent use.
type Group struct {
	Config
	mu      sync.Mutex
	parts   []*part
	stopped bool
}

// New returns a group of no services.
func New(c Config) (*Group, error) {
	if c.Backoff == (Backoff{}) {
		c.Backoff = DefaultBackoff()
	}
	if err := c.Validate(); err != nil {
		return nil, err
	}
	return &Group{Config: c}, nil
}

// patience is more than a stop may take: how long to wait is Stop's to say, not suture's.
const patience = 24 * time.Hour

// Start runs s from now on, as the last of the group. It fails if the name is taken or the group was stopped.
func (g *Group) Start(s Service) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.stopped:
		return fmt.Errorf("supervisor: %s: the services have been stopped", s.Name)
	case g.find(s.Name) != nil:
		return fmt.Errorf("supervisor: there is a service %s already", s.Name)
	}
	ctx, cancel := context.WithCancel(context.Background())
	p := &part{Service: s, group: g, cancel: cancel, ended: make(chan struct{})}
	p.status = Status{Name: s.Name, Up: true, Since: g.Now()}
	one := suture.New(s.Name, suture.Spec{
		EventHook:                func(suture.Event) {}, // the part tells itself
		FailureThreshold:         1e300,                 // suture's own pause never begins
		FailureDecay:             1,
		Timeout:                  patience,
		DontPropagateTermination: true,
	})
	one.Add(p)
	g.Observer.ServiceUp(s.Name, true)
	gone := one.ServeBackground(ctx)
	go func() {
		<-gone
		close(p.ended)
	}()
	g.parts = append(g.parts, p)
	return nil
}

// Stop ends the services, the one that was started last first, and waits for each until ctx ends; then it asks the others to end, without
// waiting for them. Its error holds what the services returned when they were asked to end, and names those that have not ended. It may
// be called again, to wait for those.
func (g *Group) Stop(ctx context.Context) error {
	g.mu.Lock()
	g.stopped = true
	parts := slices.Clone(g.parts)
	g.mu.Unlock()
	var failed error
	var running []string
	for _, p := range slices.Backward(parts) {
		err, ended := p.stop(ctx)
		failed = errors.Join(failed, err)
		if !ended {
			running = append(running, p.Name)
		}
	}
	if len(running) > 0 {
		failed = errors.Join(failed, &RunningError{running})
	}
	return failed
}

// RunningError says which services had not ended when Stop returned.
type RunningError struct{ Services []string }

func (e *RunningError) Error() string {
	return "did not stop in time: " + strings.Join(e.Services, ", ")
}

// Statuses returns how each service is, in the order of their start.
func (g *Group) Statuses() []Status {
	g.mu.Lock()
	defer g.mu.Unlock()
	all := make([]Status, len(g.parts))
	for i, p := range g.parts {
		all[i] = p.now()
	}
	return all
}

// Status returns how the service of that name is; one that was never started is not up.
func (g *Group) Status(name string) Status {
	g.mu.Lock()
	defer g.mu.Unlock()
	if p := g.find(name); p != nil {
		return p.now()
	}
	return Status{Name: name}
}

func (g *Group) find(name string) *part {
	at := slices.IndexFunc(g.parts, func(p *part) bool { return p.Name == name })
	if at < 0 {
		return nil
	}
	return g.parts[at]
}

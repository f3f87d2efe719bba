package app

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net"
	"time"

	"firemode/internal/groupcommit"
	"firemode/internal/store"
	"firemode/internal/supervisor"
	"firemode/internal/telemetry"
)

// The supervised services of a process, in the order of their start. Not every process has all of
// them.
const (
	serviceWriter          = "writer"          // writes to the SQLite file
	serviceResults         = "results"         // commits groups of submissions
	serviceClassifications = "classifications" // commits groups of classifications
	serviceBundles         = "bundles"         // builds offline bundles
	serviceRevocations     = "revocations"     // polls for tokens that other nodes have revoked
	serviceRules           = "rules"           // polls for rules that other nodes have changed
	serviceWatch           = "watch"           // receives notifications of both
	serviceBacklog         = "backlog"         // counts open conflicts and gaps for the metrics
	serviceJanitor         = "janitor"         // deletes expired rows
	serviceMetrics         = "metrics"         // serves /metrics on a listener of its own
	serviceAPI             = "api"             // serves everything else
)

// dispensable reports whether a node stays ready while the service is down.
func dispensable(service string) bool {
	switch service {
	case serviceWatch, serviceBacklog, serviceJanitor, serviceMetrics:
		return true
	}
	return false
}

// hooks let tests inject failures, and shorten the pauses before restarts. All of them may be zero.
type hooks struct {
	store    func(store.Database) store.Database
	service  func(supervisor.Service) supervisor.Service
	listener func(service string, l net.Listener) net.Listener
	backoff  supervisor.Backoff // the zero value is the default
}

// newGroup returns the group that supervises the services of this process.
func (d Deps) newGroup() (*supervisor.Group, error) {
	return supervisor.New(supervisor.Config{
		Now: d.Now, Jitter: rand.Float64, Observer: observer{d.Metrics, d.Logger}, Backoff: d.hooks.backoff,
	})
}

// start starts a service under supervision.
func (s *Services) start(name string, run func(context.Context) error) error {
	one := supervisor.Service{Name: name, Run: run}
	if s.hooks.service != nil {
		one = s.hooks.service(one)
	}
	return s.group.Start(one)
}

// worker returns a function that starts the worker of a group commit under supervision. A failed
// start is kept in s.failed.
func (s *Services) worker(name string) groupcommit.Start {
	return func(work func(context.Context) error) {
		if err := s.start(name, work); err != nil {
			s.failed = err
		}
	}
}

// observer counts and logs failures of services.
type observer struct {
	*telemetry.Metrics
	log *slog.Logger
}

// ServiceFailed is part of supervisor.Observer.
func (o observer) ServiceFailed(name string, err error, pause time.Duration) {
	o.log.Error("service failed; it restarts after a pause", "service", name, "error", err, "pause", pause)
}

var _ supervisor.Observer = observer{}

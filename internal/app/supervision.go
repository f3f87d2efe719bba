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

// The services of a process, in the order of their start; not every process has all of them.
const (
	serviceWriter          = "writer"          // of the SQLite file
	serviceResults         = "results"         // writes groups of submissions
	serviceClassifications = "classifications" // writes groups of classifications
	serviceBundles         = "bundles"         // makes offline bundles
	serviceRevocations     = "revocations"     // learns which tokens other nodes have revoked
	serviceRules           = "rules"           // learns which rules have changed elsewhere
	serviceWatch           = "watch"           // hears of both at once
	serviceBacklog         = "backlog"         // counts what is open, for the metrics
	serviceJanitor         = "janitor"         // removes what has expired
	serviceMetrics         = "metrics"         // serves /metrics on a listener of its own
	serviceAPI             = "api"             // serves everything else
)

// spare reports whether a node serves as it should for a while without the service.
func spare(service string) bool {
	switch service {
	case serviceWatch, serviceBacklog, serviceJanitor, serviceMetrics:
		return true
	}
	return false
}

// hooks let tests do harm from within. All of them may be nil.
type hooks struct {
	store    func(store.Store) store.Store
	service  func(supervisor.Service) supervisor.Service
	listener func(service string, l net.Listener) net.Listener
}

// supervise returns the group that the services of this process run in.
func (d Deps) newGroup() (*supervisor.Group, error) {
	return supervisor.New(supervisor.Config{Now: d.Now, Jitter: rand.Float64, Observer: watch{d.Metrics, d.Logger}})
}

// start runs a service from now on.
func (s *Services) start(name string, run func(context.Context) error) error {
	one := supervisor.Service{Name: name, Run: run}
	if s.hooks.service != nil {
		one = s.hooks.service(one)
	}
	return s.group.Start(one)
}

// worker lets a part of the services run what it has to in the group.
func (s *Services) worker(name string) groupcommit.Start {
	return func(work func(context.Context) error) {
		if err := s.start(name, work); err != nil {
			s.failed = err
		}
	}
}

// watch counts what happens to services, and logs it.
type watch struct {
	*telemetry.Metrics
	log *slog.Logger
}

// ServiceFailed is part of supervisor.Observer.
func (w watch) ServiceFailed(name string, err error, pause time.Duration) {
	w.log.Error("a service failed and will be started again", "service", name, "error", err, "pause", pause)
}

var _ supervisor.Observer = watch{}

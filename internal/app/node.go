package app

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"firemode/internal/httpapi"
	"firemode/internal/httpkit"
)

// stopServicesTimeout is the time that the services behind the API have to stop, after the API
// itself has stopped.
const stopServicesTimeout = 5 * time.Second

// node serves the API, or health and metrics alone, and runs the background jobs.
type node struct {
	Deps
	config   Server
	services *Services
	server   *http.Server
	drain    *httpkit.Drain
	ready    atomic.Bool
}

func newNode(c Server, s *Services, d Deps) (*node, error) {
	n := &node{Deps: d, config: c, services: s, drain: httpkit.NewDrain()}
	handler, err := n.handler()
	if err != nil {
		return nil, err
	}
	n.server, err = httpServer(c, handler, n.drain, d)
	return n, err
}

func (n *node) handler() (http.Handler, error) {
	s := n.services
	api := httpapi.Config{
		Services: httpapi.Services{
			Auth: s.Identity, Catalogue: s.Catalogue, Buildings: s.Assets,
			Visits: s.Visits, Merge: s.Merge, Views: s.Views, Defects: s.Defects, Bundles: s.Bundles,
		},
		CursorKey: s.Keys.Cursor(),
		Now:       n.Now,
		NewID:     newID,
		Metrics:   n.Metrics,
		Report:    httpkit.Report{Logger: n.Logger, Traces: n.Traces},
		Limits: httpkit.Limits{
			Queues: s.queues(), ShedAfter: n.config.ShedAfter, BodyMemory: int64(n.config.BodyMemory) << 20,
		},
		Operation: httpapi.Operation{Checks: n.checks(), Version: Version()},
		Drain:     n.drain,
	}
	if err := s.registerQueues(n.Metrics); err != nil {
		return nil, err
	}
	if n.config.MetricsAddr == "" {
		api.Operation.MetricsPage = n.Metrics.Handler()
	}
	if n.config.api() {
		return httpapi.New(api)
	}
	return httpapi.NewHealth(api)
}

// run serves on listener until ctx ends, then stops everything in reverse order of its start. It
// calls started once the node is ready.
func (n *node) run(ctx context.Context, listener net.Listener, started func()) error {
	if err := n.start(ctx, listener); err != nil {
		return err
	}
	n.ready.Store(true)
	started()
	<-ctx.Done()
	n.Logger.Info("stopping")
	n.ready.Store(false)
	n.drain.Begin()
	time.Sleep(n.config.DrainDelay)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), n.config.StopTimeout+stopServicesTimeout)
	defer cancel()
	return n.services.group.Stop(ctx)
}

// start starts the background jobs, then the servers.
func (n *node) start(ctx context.Context, listener net.Listener) error {
	for _, j := range n.services.background(n.config, n.Deps) {
		if err := n.services.start(j.name, j.run); err != nil {
			return err
		}
	}
	if err := n.startMetrics(ctx); err != nil {
		return err
	}
	return n.services.start(serviceAPI, func(ctx context.Context) error { return n.serve(ctx, listener) })
}

// expected returns the names of the services that run once the node has started.
func (n *node) expected() []string {
	var names []string
	for _, s := range n.services.group.Statuses() { // the writers, which run already
		names = append(names, s.Name)
	}
	for _, j := range n.services.background(n.config, n.Deps) {
		names = append(names, j.name)
	}
	if n.config.MetricsAddr != "" {
		names = append(names, serviceMetrics)
	}
	return append(names, serviceAPI)
}

// serve serves requests until ctx ends. Then it accepts no more connections, and answers every
// request that has arrived.
func (n *node) serve(ctx context.Context, socket net.Listener) error {
	listener, err := n.duplicate(serviceAPI, socket)
	if err != nil {
		return err
	}
	defer listener.Close()
	end := context.AfterFunc(ctx, func() {
		socket.Close()
		listener.Close()
	})
	defer end()
	if err := n.accept(n.drain.Listener(listener)); ctx.Err() == nil {
		return err
	}
	return n.finish(context.WithoutCancel(ctx))
}

func (n *node) accept(listener net.Listener) error {
	if n.config.TLSCert != "" { // net/http gives every server a TLSConfig once it has served
		return n.server.ServeTLS(httpkit.Bounded(listener, n.config.MaxConnections), "", "")
	}
	return n.server.Serve(httpkit.Bounded(httpkit.Listener(listener, newID), n.config.MaxConnections))
}

// finish waits until running requests have ended, for at most the stop timeout. Then it closes
// their connections and returns an error.
func (n *node) finish(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, n.config.StopTimeout)
	defer cancel()
	if err := n.drain.Wait(ctx); err == nil {
		return n.server.Shutdown(ctx)
	}
	n.server.Close() //nolint:errcheck // the error below says what matters
	return fmt.Errorf("requests were still running %s after the stop began; their connections were closed",
		n.config.StopTimeout)
}

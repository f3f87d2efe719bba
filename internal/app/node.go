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

const (
	headerTimeout = 10 * time.Second
	idleTimeout   = 2 * time.Minute
	// stopServicesTimeout is what the services behind the API have for their end, on top of what the settings give to requests.
	stopServicesTimeout = 5 * time.Second
)

// node serves the API, or health and metrics alone, and runs what goes on behind.
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
		Services:  httpapi.Services{Auth: s.Identity, Catalogue: s.Catalogue, Buildings: s.Assets, Sessions: s.Sessions, Bundles: s.Bundles},
		CursorKey: s.Keys.Cursor(),
		Checks:    n.checks(),
		Now:       n.Now,
		NewID:     newID,
		Logger:    n.Logger,
		Metrics:   n.Metrics,
		Traces:    n.Traces,
		Version:   Version(),
		Drain:     n.drain,

		Queues:     s.queues(),
		ShedAfter:  n.config.ShedAfter,
		BodyMemory: int64(n.config.BodyMemory) << 20,
	}
	if err := s.showQueues(n.Metrics); err != nil {
		return nil, err
	}
	if n.config.MetricsAddr == "" {
		api.MetricsPage = n.Metrics.Handler()
	}
	if n.config.api() {
		return httpapi.New(api)
	}
	return httpapi.NewHealth(api)
}

// run serves on listener until ctx ends, then stops everything in reverse order of its start. started is called when the node is
// ready.
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

// start starts what runs behind the API, then the API.
func (n *node) start(ctx context.Context, listener net.Listener) error {
	for _, p := range n.services.background(n.config, n.Deps) {
		if err := n.services.start(p.name, p.run); err != nil {
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
	for _, s := range n.services.group.Statuses() { // the writers
		names = append(names, s.Name)
	}
	for _, p := range n.services.background(n.config, n.Deps) {
		names = append(names, p.name)
	}
	if n.config.MetricsAddr != "" {
		names = append(names, serviceMetrics)
	}
	return append(names, serviceAPI)
}

// serve answers requests until ctx ends; then it takes no more connections, and answers what has reached it.
func (n *node) serve(ctx context.Context, socket net.Listener) error {
	listener, err := n.again(serviceAPI, socket)
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

// again returns a listener of its own on the socket. The socket outlives a service that fails: who connects before it is back waits, and is
// not refused.
func (n *node) again(service string, socket net.Listener) (net.Listener, error) {
	tcp, ok := socket.(*net.TCPListener)
	if !ok {
		return nil, fmt.Errorf("%s: %T is no TCP listener", service, socket)
	}
	file, err := tcp.File()
	if err != nil {
		return nil, err
	}
	defer file.Close()
	listener, err := net.FileListener(file)
	if err == nil && n.hooks.listener != nil {
		listener = n.hooks.listener(service, listener)
	}
	return listener, err
}

func (n *node) accept(listener net.Listener) error {
	if n.config.TLSCert != "" { // net/http gives every server a TLSConfig once it has served
		return n.server.ServeTLS(httpkit.Bounded(listener, n.config.MaxConnections), "", "")
	}
	return n.server.Serve(httpkit.Bounded(httpkit.Listener(listener, newID), n.config.MaxConnections))
}

// finish lets running requests end, as long as the settings allow.
func (n *node) finish(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, n.config.StopTimeout)
	defer cancel()
	if err := n.drain.Wait(ctx); err == nil {
		return n.server.Shutdown(ctx)
	}
	n.server.Close() //nolint:errcheck // what matters is said below
	return fmt.Errorf("requests still ran %s after the stop was asked for; they were cut off", n.config.StopTimeout)
}

// startMetrics serves /metrics on a listener of its own, if the settings name one.
func (n *node) startMetrics(ctx context.Context) error {
	if n.config.MetricsAddr == "" {
		return nil
	}
	socket, err := new(net.ListenConfig).Listen(ctx, "tcp", n.config.MetricsAddr)
	if err != nil {
		return fmt.Errorf("metrics: %w", err)
	}
	n.Logger.Info("metrics", "address", socket.Addr().String())
	return n.services.start(serviceMetrics, func(ctx context.Context) error { return n.serveMetrics(ctx, socket) })
}

func (n *node) serveMetrics(ctx context.Context, socket net.Listener) error {
	listener, err := n.again(serviceMetrics, socket)
	if err != nil {
		return err
	}
	defer listener.Close()
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", n.Metrics.Handler())
	profiles(mux)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout}
	end := context.AfterFunc(ctx, func() {
		socket.Close()
		server.Close() //nolint:errcheck // nothing is lost with a scrape
	})
	defer end()
	if err := server.Serve(listener); ctx.Err() == nil {
		return err
	}
	return nil
}

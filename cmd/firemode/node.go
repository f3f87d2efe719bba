package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime/debug"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"firemode/internal/httpapi"
)

const (
	headerTimeout = 10 * time.Second
	idleTimeout   = 2 * time.Minute
	// staleAfter is how old the list of revoked tokens may be before a node is not ready: the promise is one second.
	staleAfter = 5 * time.Second
)

// node serves the API and runs what goes on behind it.
type node struct {
	outside
	config   Server
	services *services
	server   *http.Server
	ready    atomic.Bool
}

func newNode(c Server, s *services, o outside) (*node, error) {
	n := &node{outside: o, config: c, services: s}
	info, ok := debug.ReadBuildInfo()
	api := httpapi.Config{
		Services:  httpapi.Services{Auth: s.auth, Catalogue: s.catalogue, Buildings: s.buildings, Sessions: s.sessions, Bundles: s.bundles},
		CursorKey: s.keys.Cursor(),
		Checks:    n.checks(),
		Now:       o.now,
		NewID:     newID,
		Logger:    o.log,
		Metrics:   o.metrics,
		Version:   versionOf(info, ok),

		Queues:     s.queues(),
		ShedAfter:  c.ShedAfter,
		BodyMemory: int64(c.BodyMemory) << 20,
	}
	if err := s.showQueues(o.metrics); err != nil {
		return nil, err
	}
	if c.MetricsAddr == "" {
		api.MetricsPage = o.metrics.Handler()
	}
	handler, err := httpapi.New(api)
	if err != nil {
		return nil, err
	}
	n.server, err = httpServer(c, handler, o)
	return n, err
}

// checks are what readiness asks.
func (n *node) checks() map[string]httpapi.Check {
	return map[string]httpapi.Check{
		"database": n.services.store.Ping,
		"serving": func(context.Context) error {
			if !n.ready.Load() {
				return errors.New("starting or stopping")
			}
			return nil
		},
		"revocations": func(context.Context) error {
			if age, err := n.services.auth.Fresh(); age > staleAfter {
				return errors.Join(fmt.Errorf("the list of revoked tokens is %s old", age.Round(time.Second)), err)
			}
			return nil
		},
	}
}

// run serves on listener until ctx ends or a part fails, then stops everything in reverse order of its start. started is
// called when the node is ready.
func (n *node) run(ctx context.Context, listener net.Listener, started func()) error {
	// What runs behind the API ends after it, not with ctx.
	behind, endBehind := context.WithCancel(context.WithoutCancel(ctx))
	defer endBehind()
	parts, failed := errgroup.WithContext(behind)
	if err := n.startMetrics(failed, parts); err != nil {
		return err
	}
	for _, part := range n.services.background(n.log, n.now) {
		parts.Go(func() error { return part(failed) })
	}
	parts.Go(func() error { return n.services.countBacklog(failed, n.outside) })
	parts.Go(func() error { return n.accept(listener) })
	n.ready.Store(true)
	started()
	select {
	case <-ctx.Done():
		n.log.Info("stopping")
	case <-failed.Done():
	}
	n.ready.Store(false)
	err := n.stop(context.WithoutCancel(ctx))
	endBehind()
	return errors.Join(parts.Wait(), err)
}

func (n *node) accept(listener net.Listener) error {
	if n.server.TLSConfig != nil {
		return unlessClosed(n.server.ServeTLS(httpapi.Bounded(listener, n.config.MaxConnections), "", ""))
	}
	return unlessClosed(n.server.Serve(httpapi.Bounded(httpapi.Listener(listener, newID), n.config.MaxConnections)))
}

func unlessClosed(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// stop lets running requests finish, as long as the settings allow.
func (n *node) stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, n.config.StopTimeout)
	defer cancel()
	err := n.server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return errors.Join(fmt.Errorf("requests still ran %s after the stop was asked for; they were cut off", n.config.StopTimeout), n.server.Close())
	}
	return err
}

// startMetrics serves /metrics on a listener of its own until ctx ends, if the settings name one.
func (n *node) startMetrics(ctx context.Context, parts *errgroup.Group) error {
	if n.config.MetricsAddr == "" {
		return nil
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", n.config.MetricsAddr)
	if err != nil {
		return fmt.Errorf("metrics: %w", err)
	}
	n.log.Info("metrics", "address", listener.Addr().String())
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", n.metrics.Handler())
	profiles(mux)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout}
	context.AfterFunc(ctx, func() { server.Close() }) //nolint:errcheck // nothing is lost with a scrape
	parts.Go(func() error { return unlessClosed(server.Serve(listener)) })
	return nil
}

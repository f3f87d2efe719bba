package app

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"firemode/internal/catalogue"
	"firemode/internal/httpapi"
	"firemode/internal/httpkit"
	"firemode/internal/record/merge"
	"firemode/internal/telemetry"
)

// sources returns what a scrape reads from the services.
func (s *Services) sources(dataFolder string) telemetry.Sources {
	return telemetry.Sources{
		Pools: func() (pools []telemetry.Pool) {
			for _, p := range s.Store.Stats().Pools {
				pools = append(pools, telemetry.Pool(p))
			}
			return pools
		},
		Queues: func() []telemetry.Queue {
			queues := []telemetry.Queue{
				{Name: merge.Queue, Depth: s.Merge.Waiting()},
				{Name: catalogue.Queue, Depth: s.Catalogue.Waiting()},
			}
			for _, q := range s.Store.Stats().Queues {
				queues = append(queues, telemetry.Queue(q))
			}
			return queues
		},
		Revocations: s.Identity.Revocations,
		DataFolder: func() (free, size uint64, ok bool) {
			free, size, err := diskSpace(dataFolder)
			return free, size, err == nil
		},
	}
}

// queues returns the queueing time of each queue of writes, by the names that routes use.
func (s *Services) queues() map[string]func() time.Duration {
	return map[string]func() time.Duration{
		httpkit.QueueDatabase:        func() time.Duration { return s.Store.Stats().Wait },
		httpapi.QueueResults:         s.Merge.LongestWait,
		httpapi.QueueClassifications: s.Catalogue.Depth,
	}
}

// registerQueues adds a metric for each queue of writes.
func (s *Services) registerQueues(m *telemetry.Metrics) error {
	for name, depth := range s.queues() {
		if err := m.Queue(name, depth); err != nil {
			return err
		}
	}
	return nil
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
	listener, err := n.duplicate(serviceMetrics, socket)
	if err != nil {
		return err
	}
	defer listener.Close()
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", n.Metrics.Handler())
	handleProfiles(mux)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout}
	end := context.AfterFunc(ctx, func() {
		socket.Close()
		server.Close() //nolint:errcheck // an interrupted scrape loses nothing
	})
	defer end()
	if err := server.Serve(listener); ctx.Err() == nil {
		return err
	}
	return nil
}

// handleProfiles serves the profiles of the process under /debug/pprof/. They reveal what the
// program is doing, so they are never served on the main listener.
func handleProfiles(mux *http.ServeMux) {
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
}

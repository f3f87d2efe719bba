package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"firemode/internal/telemetry"
)

// Config of a node that serves.
type Config struct {
	Storage
	Server
	Now       func() time.Time
	Log       io.Writer           // receives the log; nil discards it
	Getenv    func(string) string // looks up OTEL_* variables; nil for none
	Fill      func(context.Context, *Services) error
	OnStarted func(url string) // called once the node is ready; nil for nothing

	hooks hooks
}

// Validate returns an error that names what is missing or invalid.
func (c Config) Validate() error {
	if c.Now == nil {
		return errors.New("app: no clock")
	}
	if c.Role != RoleAll && c.DBURL == "" {
		return fmt.Errorf("role %s is for several processes on one database, and a data folder with SQLite is for one: "+
			"give --db-url", c.Role)
	}
	return c.Server.Validate()
}

// Run runs one node until ctx ends, then stops it: it returns once everything has stopped. Fill,
// unless nil, gets the services before anything is served.
func Run(ctx context.Context, c Config) (err error) {
	if err := c.Validate(); err != nil {
		return err
	}
	if c.Log == nil {
		c.Log = io.Discard
	}
	log, err := telemetry.NewLogger(c.Log, c.LogFormat, c.LogLevel)
	if err != nil {
		return err
	}
	// The listener comes first: nothing is written if the address is taken.
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", c.Addr)
	if err != nil {
		return err
	}
	defer listener.Close()
	unlock, err := c.Storage.lock()
	if err != nil {
		return err
	}
	defer unlock()
	metrics, err := telemetry.NewMetrics(telemetry.Config{MaxSessions: c.MetricsSessions})
	if err != nil {
		return err
	}
	traces, err := telemetry.NewTracing(ctx, telemetry.TracingConfig{
		Getenv: c.Getenv, Version: Version(), Logger: log, Now: c.Now,
	})
	if err != nil {
		return err
	}
	defer func() {
		if err := traces.Shutdown(context.WithoutCancel(ctx)); err != nil {
			log.Warn(err.Error())
		}
	}()
	d := Deps{Now: c.Now, Logger: log, Metrics: metrics, Traces: traces, hooks: c.hooks}
	s, err := Open(ctx, c.Storage, d)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.Prepare(ctx); err != nil {
		return err
	}
	if c.Fill != nil {
		if err := c.Fill(ctx, s); err != nil {
			return err
		}
	}
	n, err := newNode(c.Server, s, d)
	if err != nil {
		return err
	}
	return n.run(ctx, listener, func() {
		if c.OnStarted != nil {
			c.OnStarted(c.url(listener))
		}
	})
}

// url returns the base URL of the server on l.
func (s Server) url(l net.Listener) string {
	scheme := "http"
	if s.TLSCert != "" {
		scheme = "https"
	}
	return scheme + "://" + l.Addr().String()
}

package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime/debug"

	"firemode/internal/httpkit"
	"firemode/internal/telemetry"
)

type serveCommand struct {
	Server
}

func (serveCommand) Help() string {
	return `It brings the database to the schema of this binary, says "listening on URL" when it is ready, and stops when it is asked to
(SIGINT, SIGTERM): it says that it is not ready, answers every request that has reached it, and then stops what runs behind; a second
signal ends it at once. What fails behind the API is started again by itself, and /health/ready names it meanwhile. One server at most
works on a data folder with SQLite; with --db-url any number may share a database, if they have the same keys, and some of them may be
workers, which serve health and metrics alone. At least one of them has to be a worker or have the role all. Examples:

    firemode serve
    firemode serve --addr :443 --tls-cert cert.pem --tls-key key.pem
    FIREMODE_DB_URL_FILE=/run/secrets/db-url firemode serve --keys /etc/firemode/keys --metrics-addr localhost:9090
    firemode serve --role worker --addr localhost:9091 --db-url postgres://firemode@db.internal/firemode --keys /etc/firemode/keys

Traces go to an OpenTelemetry collector (OTLP over gRPC), by default one on localhost:4317; without one nothing happens. The standard
variables say otherwise:

    OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4317 OTEL_TRACES_SAMPLER=parentbased_traceidratio OTEL_TRACES_SAMPLER_ARG=0.1 firemode serve
    OTEL_SDK_DISABLED=true firemode serve`
}

// Run serves until ctx ends.
func (c serveCommand) Run(ctx context.Context, p *program) error {
	return p.serve(ctx, c.Server, nil, "")
}

// serve runs one node until ctx ends. fill, unless nil, is given the services before anything is served; greeting is printed
// after the address.
func (p *program) serve(ctx context.Context, c Server, fill func(context.Context, *services) error, greeting string) (err error) {
	log, err := telemetry.NewLogger(p.stderr, c.LogFormat, c.LogLevel)
	if err != nil {
		return err
	}
	if c.Role != roleAll && p.storage.DBURL == "" {
		return fmt.Errorf("role %s is for several processes on one database, and a data folder with SQLite is for one: give --db-url", c.Role)
	}
	// First of all: whether the address is free is worth knowing before anything is written.
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", c.Addr)
	if err != nil {
		return err
	}
	defer listener.Close()
	unlock, err := p.lock()
	if err != nil {
		return err
	}
	defer unlock()
	metrics, err := telemetry.NewMetrics(telemetry.Config{MaxSessions: c.MetricsSessions})
	if err != nil {
		return err
	}
	traces, err := p.tracing(ctx, log)
	if err != nil {
		return err
	}
	defer func() {
		if err := traces.Shutdown(context.WithoutCancel(ctx)); err != nil {
			log.Warn(err.Error())
		}
	}()
	o := outside{now: p.now, log: log, metrics: metrics, traces: traces, hooks: p.hooks}
	s, err := openServices(ctx, p.storage, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if err := s.prepare(ctx); err != nil {
		return err
	}
	if fill != nil {
		if err := fill(ctx, s); err != nil {
			return err
		}
	}
	n, err := newNode(c, s, o)
	if err != nil {
		return err
	}
	return n.run(ctx, listener, func() { p.announce(c, listener, greeting) })
}

// tracing follows the OTEL_* variables of the environment that the program was given.
func (p *program) tracing(ctx context.Context, log *slog.Logger) (*telemetry.Tracing, error) {
	info, ok := debug.ReadBuildInfo()
	return telemetry.NewTracing(ctx, telemetry.TracingConfig{
		Getenv: func(name string) string { return p.settings.env[name] }, Version: versionOf(info, ok), Logger: log, Now: p.now,
	})
}

// lock keeps a second server from a data folder that is a database; one that only holds keys may be shared.
func (p *program) lock() (unlock func(), err error) {
	if p.storage.DBURL != "" {
		return func() {}, nil
	}
	if err := os.MkdirAll(p.storage.Data, 0o700); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	file, err := lockFolder(p.storage.Data)
	if err != nil {
		return nil, err
	}
	return func() { file.Close() }, nil
}

// announce says where the API is. Scripts wait for its first line.
func (p *program) announce(c Server, listener net.Listener, greeting string) {
	scheme := "http"
	if c.TLSCert != "" {
		scheme = "https"
	}
	fmt.Fprintf(p.stdout, "listening on %s://%s\n%s", scheme, listener.Addr(), greeting)
}

// httpServer has no limit on a request as a whole: a register may come slowly over a bad line. The API ends a body
// that stops coming.
func httpServer(c Server, handler http.Handler, d *httpkit.Drain, o outside) (*http.Server, error) {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(o.log.Handler(), slog.LevelWarn),
		ConnState: func(c net.Conn, state http.ConnState) {
			o.metrics.ConnState(c, state)
			d.ConnState(c, state)
		},
		Protocols: protocols,
		// OPTIONS * is answered in the API's format, like everything else.
		DisableGeneralOptionsHandler: true,
	}
	if c.TLSCert == "" {
		return server, nil
	}
	certificate, err := tls.LoadX509KeyPair(c.TLSCert, c.TLSKey)
	if err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	return server, nil
}

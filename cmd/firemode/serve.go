package main

import (
	"context"
	"fmt"

	"firemode/internal/app"
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
	return app.Run(ctx, p.node(c.Server, ""))
}

// node returns the configuration of a node. Once it is ready it prints its address, for which scripts wait, and the greeting.
func (p *program) node(c Server, greeting string) app.Config {
	return app.Config{
		Storage: p.storage, Server: app.Server(c), Now: p.now, Log: p.stderr,
		Getenv:    func(name string) string { return p.settings.env[name] },
		OnStarted: func(url string) { fmt.Fprintf(p.stdout, "listening on %s\n%s", url, greeting) },
	}
}

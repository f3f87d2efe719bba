package main

import (
	"context"
	"fmt"

	"firemode/internal/app"
)

type serveCommand struct {
	Server `group:"Server"`
}

func (serveCommand) Help() string {
	return `serve migrates the database to the schema of this binary and prints "listening on URL" when it is ready.
SIGINT or SIGTERM stops it: it reports not ready, answers every request that has arrived, and stops the background
services. A second signal ends it immediately. Failed background services restart automatically; meanwhile
/health/ready names them.

A data folder with SQLite is for one server. With --db-url, any number of servers may share one database, if they have
the same keys. Some of them may be workers, which serve health and metrics only; at least one must have the role
worker or all. Examples:

    firemode serve
    firemode serve --addr :443 --tls-cert cert.pem --tls-key key.pem
    FIREMODE_DB_URL_FILE=/run/secrets/db-url firemode serve --keys /etc/firemode/keys --metrics-addr localhost:9090
    firemode serve --role worker --addr localhost:9091 --keys /etc/firemode/keys \
        --db-url postgres://firemode@db.internal/firemode

Traces go to an OpenTelemetry collector (OTLP over gRPC), by default on localhost:4317; without a collector they are
dropped. The standard variables configure this:

    OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4317 OTEL_TRACES_SAMPLER=parentbased_traceidratio \
        OTEL_TRACES_SAMPLER_ARG=0.1 firemode serve
    OTEL_SDK_DISABLED=true firemode serve`
}

// Run serves until ctx ends.
func (c serveCommand) Run(ctx context.Context, p *program) error {
	return app.Run(ctx, p.node(c.Server, ""))
}

// node returns the configuration of a node. The node prints its address, for which scripts wait,
// and the greeting when it is ready.
func (p *program) node(c Server, greeting string) app.Config {
	return app.Config{
		Storage: p.storage, Server: app.Server(c), Now: p.now, Log: p.stderr,
		Getenv:    func(name string) string { return p.settings.env[name] },
		OnStarted: func(url string) { fmt.Fprintf(p.stdout, "listening on %s\n%s", url, greeting) },
	}
}

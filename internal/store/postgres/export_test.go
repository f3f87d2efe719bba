package postgres

import (
	"github.com/jackc/pgx/v5"
	"go.opentelemetry.io/otel/trace"
)

// TracerOf is what Open gives to its connections.
func TracerOf(provider trace.TracerProvider, c *pgx.ConnConfig) pgx.QueryTracer {
	return newTracer(provider, c)
}

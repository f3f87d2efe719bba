package postgres_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"firemode/internal/store/postgres"
	"firemode/internal/store/storetest/pgtest"
)

// TestFailuresSayTheirCodeAlone: PostgreSQL's text names the value that it could not read.
func TestFailuresSayTheirCodeAlone(t *testing.T) {
	t.Parallel()
	spans := tracetest.NewSpanRecorder()
	provider := sdk.NewTracerProvider(sdk.WithSpanProcessor(spans))
	config, err := pgx.ParseConfig(pgtest.New(t))
	if err != nil {
		t.Fatal(err)
	}
	config.Tracer = postgres.TracerOf(provider, config)
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context()) //nolint:errcheck // nothing is lost with it
	const query = "SELECT $1::text::int"
	if _, err := conn.Exec(t.Context(), query, "sesame"); err == nil {
		t.Fatal("a word was read as a number")
	}
	if n := len(spans.Ended()); n != 0 {
		t.Errorf("%d spans of what nobody follows", n)
	}
	ctx, above := provider.Tracer("test").Start(t.Context(), "above")
	for name, fails := range map[string]func() error{
		"statement": func() error {
			_, err := conn.Exec(ctx, query, "sesame")
			return err
		},
		"batch": func() error {
			batch := &pgx.Batch{}
			batch.Queue(query, "1")
			batch.Queue(query, "sesame")
			return conn.SendBatch(ctx, batch).Close()
		},
	} {
		before := len(spans.Ended())
		if err := fails(); err == nil || !strings.Contains(err.Error(), "sesame") {
			t.Fatalf("%s: %v, want a failure that names the value", name, err)
		}
		ended := slices.DeleteFunc(spans.Ended()[before:],
			func(s sdk.ReadOnlySpan) bool { return strings.HasPrefix(s.Name(), "PREPARE ") })
		if len(ended) != 1 || ended[0].Name() != "SELECT" || ended[0].Status().Code != codes.Error {
			t.Fatalf("%s: spans %v, want one that failed", name, ended)
		}
		if text := fmt.Sprint(ended[0].Status(), ended[0].Events(), ended[0].Attributes()); strings.Contains(text,
			"sesame") || !strings.Contains(text, "22P02") {
			t.Errorf("%s: the span says %s", name, text)
		}
	}
	above.End()
}

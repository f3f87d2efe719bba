package sqlite

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"firemode"
	"firemode/internal/store"
)

func openTraced(t *testing.T) (*Store, *tracetest.SpanRecorder, *sdk.TracerProvider) {
	t.Helper()
	spans := tracetest.NewSpanRecorder()
	provider := sdk.NewTracerProvider(sdk.WithSpanProcessor(spans))
	s, err := Open(t.Context(), Config{Path: filepath.Join(t.TempDir(), "firemode.db"), Traces: provider})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, spans, provider
}

// TestASharedCommitIsLinkedToItsUpdates: what is not traced, such as the migration before, has no
// span.
func TestASharedCommitIsLinkedToItsUpdates(t *testing.T) {
	s, spans, provider := openTraced(t)
	s.writer.stop() // the test is the writer now
	tracer := provider.Tracer("test")
	first, firstSpan := tracer.Start(t.Context(), "first")
	second, secondSpan := tracer.Start(t.Context(), "second")
	s.writer.commit([]*update{
		newUpdate(t.Context(), func(tx store.Tx) error { return createOrg(t.Context(), tx, "a", "") }),
		newUpdate(first, func(tx store.Tx) error { return createOrg(first, tx, "b", "") }),
		newUpdate(second, func(tx store.Tx) error { return createOrg(second, tx, "b", "") }),
	})
	firstSpan.End()
	secondSpan.End()
	s.writer.conn.close()
	s.writer = startWriter(s.db, Config{Now: s.now, Committed: func(int) {}}, s.readers, tracer) // for Close
	type line struct {
		name   string
		parent string
		failed bool
	}
	names := map[string]string{}
	for _, span := range spans.Ended() {
		names[span.SpanContext().SpanID().String()] = span.Name()
	}
	var got []line
	for _, span := range spans.Ended() {
		got = append(got, line{span.Name(), names[span.Parent().SpanID().String()], span.Status().Code == codes.Error})
		switch span.Name() {
		case "transaction":
			if links := span.Links(); len(links) != 1 ||
				links[0].SpanContext.SpanID() != secondSpan.SpanContext().SpanID() {
				t.Errorf("the transaction links to %v, want second", links)
			}
		case "second":
			if links := span.Links(); len(links) != 1 ||
				names[links[0].SpanContext.SpanID().String()] != "transaction" {
				t.Errorf("second links to %v, want the transaction", links)
			}
		}
	}
	want := []line{
		{"BEGIN", "transaction", false},
		{"SAVEPOINT", "transaction", false},
		{"RELEASE", "transaction", false},
		{"SAVEPOINT", "transaction", false},
		{"INSERT organisations", "first", false},
		{"RELEASE", "transaction", false},
		{"SAVEPOINT", "transaction", false},
		{"INSERT organisations", "second", true},
		{"ROLLBACK", "transaction", false},
		{"RELEASE", "transaction", false},
		{"COMMIT", "transaction", false},
		{"transaction", "first", false},
		{"first", "", false},
		{"second", "", false},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
}

// TestOneSpanForAStatementInALoop: its number of runs is told, and it ends when the last of them
// ended.
func TestOneSpanForAStatementInALoop(t *testing.T) {
	s, spans, provider := openTraced(t)
	ctx, span := provider.Tracer("test").Start(t.Context(), "many")
	err := s.Update(ctx, func(tx store.Tx) error {
		for i := range 3 {
			if err := createOrg(ctx, tx, fmt.Sprint("o", i), ""); err != nil {
				return err
			}
		}
		_, err := store.As[store.OrganisationReader](tx).Organisation(ctx, "o1")
		if err != nil {
			return err
		}
		return createOrg(ctx, tx, "o3", "")
	})
	if err != nil {
		t.Fatal(err)
	}
	span.End()
	var got []string
	for _, span := range spans.Ended() {
		line := span.Name()
		for _, a := range span.Attributes() {
			if a.Key == "db.operation.batch.size" {
				line += " x" + a.Value.String()
			}
		}
		got = append(got, line)
		if span.EndTime().Before(span.StartTime()) {
			t.Errorf("%s ends before it begins", span.Name())
		}
	}
	want := []string{
		"BEGIN", "INSERT organisations x3", "SELECT organisations", "INSERT organisations", "COMMIT",
		"transaction", "many",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestAFailureSaysItsCodeAlone: SQLite's text could name a value.
func TestAFailureSaysItsCodeAlone(t *testing.T) {
	s, spans, provider := openTraced(t)
	ctx, span := provider.Tracer("test").Start(t.Context(), "fails")
	create := func(tx store.Tx) error { return createOrg(ctx, tx, "a", "") }
	if err := s.Update(ctx, create); err != nil {
		t.Fatal(err)
	}
	if err := s.Update(ctx, create); firemode.CodeOf(err) != firemode.CodeConflict {
		t.Fatal(err)
	}
	span.End()
	failed := slices.DeleteFunc(spans.Ended(), func(s sdk.ReadOnlySpan) bool { return s.Status().Code != codes.Error })
	if len(failed) != 1 || failed[0].Status().Description != "" || len(failed[0].Events()) != 0 {
		t.Fatalf("failed spans %v, want one, without a text", failed)
	}
	for _, a := range failed[0].Attributes() {
		if a.Key == "error.type" && a.Value.AsString() == "1555" { // SQLITE_CONSTRAINT_PRIMARYKEY
			return
		}
	}
	t.Errorf("attributes %v lack error.type 1555", failed[0].Attributes())
}

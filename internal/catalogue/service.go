// Package catalogue gives an organisation its rules and classifies what was seen by them.
//
// It promises that a rule version never changes once it is made; that what one organisation makes or deactivates touches nobody
// else; that questions are answered from memory, from a book that is renewed at once after a write through this service and within half
// a second (while Run runs) after a write elsewhere; and that Classify answers only when the entry in the audit log is durable.
// It does not check roles, and it does not judge by itself: that is package rules.
package catalogue

import (
	"context"
	"errors"
	"sync"

	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"firemode"
	"firemode/internal/batch"
	"firemode/internal/store"
)

// Config is what a Service needs beside its store.
type Config struct {
	NewID func() string // mints the ids of audit entries
	// OnError is told of a renewal of the books that failed in Run; it is tried again at the next tick. nil: nobody is told.
	OnError func(error)
	// Traces takes the spans of classifications; nil for none.
	Traces trace.TracerProvider
}

// Service is the rule catalogue. It is safe for concurrent use.
type Service struct {
	store   store.Store
	newID   func() string
	onError func(error)
	tracer  trace.Tracer
	entries *batch.Collector[*pending]

	mu      sync.Mutex
	shelves map[firemode.OrgID]*shelf
}

// New returns a service. Close stops it; the store must stay open until then.
func New(s store.Store, c Config) (*Service, error) {
	if s == nil || c.NewID == nil {
		return nil, errors.New("catalogue: a store and NewID are required")
	}
	if c.OnError == nil {
		c.OnError = func(error) {}
	}
	if c.Traces == nil {
		c.Traces = noop.NewTracerProvider()
	}
	svc := &Service{
		store: s, newID: c.NewID, onError: c.OnError, shelves: map[firemode.OrgID]*shelf{},
		tracer: c.Traces.Tracer("firemode/internal/catalogue"),
	}
	svc.entries = batch.Traced(maxGroup, svc.tracer, "classify group", svc.record)
	return svc, nil
}

// Close waits until classifications under way are durable and refuses further ones.
func (s *Service) Close() { s.entries.Close() }

// caller returns who ctx works for.
func caller(ctx context.Context) (firemode.Principal, error) {
	p, ok := firemode.PrincipalFrom(ctx)
	if !ok || p.Org == "" {
		return p, firemode.Unauthenticated("sign in first")
	}
	return p, nil
}

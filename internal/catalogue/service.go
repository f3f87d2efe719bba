// Package catalogue gives an organisation its rules and classifies what was seen by them.
//
// It promises that a rule version never changes once it is made; that what one organisation makes or deactivates touches nobody
// else; that questions are answered from memory, from a book that is renewed at once after a write through this service and, while Run
// runs, as soon as Changed tells of a write elsewhere, or within half a second; and that Classify answers only when the entry in the audit log is durable.
// It does not check roles, and it does not judge by itself: that is package rules.
package catalogue

import (
	"cmp"
	"errors"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"firemode"
	"firemode/internal/groupcommit"
	"firemode/internal/store"
)

// Config is what a Service needs beside its store.
type Config struct {
	NewID func() string // mints the ids of audit entries
	// OnError is told of a renewal of the books that failed in Run; it is tried again at the next tick. nil: nobody is told.
	OnError func(error)
	Poll    time.Duration    // between two looks of Run that nobody has asked for; half a second if 0
	Now     func() time.Time // the clock that Depth goes by; nil: it is always 0
	// Committed is told, of each transaction of classifications, how many it carried; nil: nobody is told. It must be quick.
	Committed func(queue string, size int)
	// Supervise runs what writes classifications, and runs it again if it dies; nil for nobody.
	Supervise groupcommit.Start
	// Traces takes the spans of classifications; nil for none.
	Traces trace.TracerProvider
}

// Queue is the name under which groups of classifications are counted.
const Queue = "classifications"

// Service is the rule catalogue. It is safe for concurrent use.
type Service struct {
	store   store.Store
	newID   func() string
	onError func(error)
	poll    time.Duration
	changed chan struct{}          // holds one when Run is to look at once
	line    *groupcommit.WaitQueue // of classifications that no commit has taken on yet
	grouped func(queue string, size int)
	tracer  trace.Tracer
	entries *groupcommit.Collector[*pending]

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
	if c.Committed == nil {
		c.Committed = func(string, int) {}
	}
	if c.Traces == nil {
		c.Traces = noop.NewTracerProvider()
	}
	svc := &Service{
		store: s, newID: c.NewID, onError: c.OnError, grouped: c.Committed, shelves: map[firemode.OrgID]*shelf{},
		poll: cmp.Or(c.Poll, renewal), changed: make(chan struct{}, 1), tracer: c.Traces.Tracer("firemode/internal/catalogue"),
	}
	if c.Now != nil {
		svc.line = groupcommit.NewWaitQueue(c.Now)
	}
	svc.entries = groupcommit.NewTraced(maxGroup, svc.tracer, "classify group", svc.record)
	svc.entries.Supervise(c.Supervise)
	return svc, nil
}

// Depth is how long the first of the classifications that no commit has taken on yet has been waiting, 0 when none waits.
func (s *Service) Depth() time.Duration { return s.line.LongestWait() }

// Waiting returns how many classifications wait for the transaction before theirs.
func (s *Service) Waiting() int { return s.line.Len() }

// Close waits until classifications under way are durable and refuses further ones.
func (s *Service) Close() { s.entries.Close() }

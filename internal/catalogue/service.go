// Package catalogue keeps the rule versions of organisations and classifies findings by them.
//
// It promises:
//
//   - A rule version never changes after its creation.
//   - What an organisation creates or deactivates affects no other organisation.
//   - Reads are answered from a cache. A write through this service invalidates it immediately.
//     While Run runs, a write on another node does so after Changed, or within half a second.
//   - Classify returns only when its audit entry is durable.
//
// The package does not check roles. How a rule classifies is decided by package rules.
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
	// OnError is called with the error of a poll that failed in Run, which is retried at the next
	// interval. It may be nil.
	OnError func(error)
	Poll    time.Duration    // between two polls of Run; half a second if 0
	Now     func() time.Time // the clock of Depth, which is always 0 if nil
	// Committed is called after each commit of a group with the number of classifications in it. It
	// must be quick, and may be nil.
	Committed func(queue string, size int)
	// Supervise starts the worker that commits classifications, and restarts it if it dies; nil for
	// an unsupervised one.
	Supervise groupcommit.Start
	// Traces receives the spans of classifications; nil for none.
	Traces trace.TracerProvider
}

// Queue is the name of the queue of classifications in metrics.
const Queue = "classifications"

// Service is the rule catalogue. It is safe for concurrent use.
type Service struct {
	store     store.Store
	newID     func() string
	onError   func(error)
	poll      time.Duration
	changed   chan struct{}          // holds one while Run is due to poll immediately
	waiting   *groupcommit.WaitQueue // classifications that are in no commit group yet
	committed func(queue string, size int)
	tracer    trace.Tracer
	recorder  *groupcommit.Collector[*pending]

	mu    sync.Mutex
	cache map[firemode.OrgID]*cacheEntry
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
		store: s, newID: c.NewID, onError: c.OnError, committed: c.Committed, cache: map[firemode.OrgID]*cacheEntry{},
		poll: cmp.Or(c.Poll, pollInterval), changed: make(chan struct{}, 1),
		tracer: c.Traces.Tracer("firemode/internal/catalogue"),
	}
	if c.Now != nil {
		svc.waiting = groupcommit.NewWaitQueue(c.Now)
	}
	svc.recorder = groupcommit.NewTraced(maxGroup, svc.tracer, "classify group", svc.record)
	svc.recorder.Supervise(c.Supervise)
	return svc, nil
}

// Depth returns how long the first classification that is in no commit group yet has been waiting,
// 0 if none waits.
func (s *Service) Depth() time.Duration { return s.waiting.LongestWait() }

// Waiting returns how many classifications are in no commit group yet.
func (s *Service) Waiting() int { return s.waiting.Len() }

// Close waits until classifications in progress are durable, and refuses further ones.
func (s *Service) Close() { s.recorder.Close() }

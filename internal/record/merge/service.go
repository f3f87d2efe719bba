package merge

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
	"golang.org/x/mod/sumdb/note"

	"firemode"
	"firemode/internal/groupcommit"
	"firemode/internal/rules"
	"firemode/internal/store"
)

// RuleSets returns the rules of an organisation, from memory.
type RuleSets interface {
	RuleSet(ctx context.Context, org firemode.OrgID) (*rules.Set, error)
}

// Meter receives the numbers for dashboards. All of them are reported after the commit. Its methods
// must be quick and safe for concurrent use.
type Meter interface {
	// ConflictArose reports one new conflict.
	ConflictArose(session string)
	// Synced reports the time from the call of Submit to its durable receipt. ctx is that of the
	// request; its trace can serve as the exemplar.
	Synced(ctx context.Context, clientType string, d time.Duration)
	// GroupCommitted reports one committed transaction and how many submissions it carried.
	GroupCommitted(queue string, size int)
	// ChangesSettled reports the outcome of n changes: "applied", "duplicate", "superseded",
	// "rejected", or "late" for those kept for a completed session. Replayed receipts are not
	// reported.
	ChangesSettled(status string, n int)
}

// Queue is the name under which Meter gets the groups of submissions.
const Queue = "results"

// Config is what a Service needs beside the store.
type Config struct {
	Now   func() time.Time
	Rules RuleSets
	// Signer signs the checkpoint that every receipt carries.
	Signer note.Signer
	// Consequences are derived in the transaction of the merge, in this order.
	Consequences []Consequences
	Meter        Meter // may be nil
	// Supervise starts the worker of the groups and restarts it after a failure; nil for no
	// supervision.
	Supervise groupcommit.Start
	// Traces receives the spans of groups and merges; nil for none.
	Traces trace.TracerProvider
}

// Service merges submissions into sessions. It is safe for concurrent use. Close writes what is
// queued.
type Service struct {
	Config
	store     store.Store
	tracer    trace.Tracer
	collector *groupcommit.Collector[*job]
	queue     *groupcommit.WaitQueue // of submissions that no group has taken yet
}

// New returns a Service on s.
func New(s store.Store, c Config) (*Service, error) {
	switch {
	case s == nil:
		return nil, errors.New("merge: no store")
	case c.Now == nil:
		return nil, errors.New("merge: no clock")
	case c.Rules == nil:
		return nil, errors.New("merge: no rule sets")
	case c.Signer == nil:
		return nil, errors.New("merge: no signer of checkpoints")
	}
	if c.Meter == nil {
		c.Meter = unmetered{}
	}
	if c.Traces == nil {
		c.Traces = noop.NewTracerProvider()
	}
	service := &Service{
		Config: c, store: s, queue: groupcommit.NewWaitQueue(c.Now),
		tracer: c.Traces.Tracer("firemode/internal/record/merge"),
	}
	service.collector = groupcommit.NewTraced(maxGroup, service.tracer, "results group", service.runGroup)
	service.collector.Supervise(c.Supervise)
	return service, nil
}

// LongestWait returns how long the first submission in the queue has been waiting for a group, 0 if
// none waits.
func (s *Service) LongestWait() time.Duration { return s.queue.LongestWait() }

// Waiting returns how many submissions wait for a group.
func (s *Service) Waiting() int { return s.queue.Len() }

// Close waits until everything that was submitted is written.
func (s *Service) Close() { s.collector.Close() }

type unmetered struct{}

func (unmetered) ConflictArose(string)                          {}
func (unmetered) Synced(context.Context, string, time.Duration) {}
func (unmetered) GroupCommitted(string, int)                    {}
func (unmetered) ChangesSettled(string, int)                    {}

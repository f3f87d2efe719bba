// Package sessions is the service visit: its items, its log of results and what follows from them.
//
// It promises that a change which was answered as applied, superseded or late is in the session's log for ever and durable;
// that state is a function of that log (see internal/record/crdt); that a retry changes nothing; and that nothing which arrives in
// time or out of it is lost: what cannot be applied is answered as rejected and kept, the batch of a cloned phone is kept in
// quarantine, and results for a completed session are kept as late. See docs/acknowledgement.md.
//
// It does not decide who may call what (internal/identity), except by session and building: what a caller may not see is not found.
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

// RuleSets returns the rules that an organisation sees, from memory.
type RuleSets interface {
	RuleSet(ctx context.Context, org firemode.OrgID) (*rules.Set, error)
}

// Meter counts what dashboards rely on. Its methods must be quick.
type Meter interface {
	// ConflictArose is called once for each conflict that was not there before.
	ConflictArose(session string)
	// Synced tells how long a results POST took from its body being read to being durable. ctx is that of the request, whose trace it
	// can name as an example.
	Synced(ctx context.Context, clientType string, d time.Duration)
	// GroupCommitted is called once for each transaction of results that was committed, with the number of submissions it carried.
	GroupCommitted(queue string, size int)
	// ChangesSettled tells what became of n changes that were not answered before: "applied", "duplicate", "superseded",
	// "rejected", or "late" for those kept for a completed session.
	ChangesSettled(status string, n int)
}

// Queue is the name under which groups of submissions are counted.
const Queue = "results"

// Config is what a Service needs beside the store.
type Config struct {
	Now   func() time.Time
	Rules RuleSets
	// Signer signs the checkpoint that every answer about results carries.
	Signer note.Signer
	// Consequences are derived in the transaction of the merge, in order.
	Consequences []Consequences
	Meter        Meter // may be nil
	// Supervise runs what writes submissions, and runs it again if it dies; nil for nobody.
	Supervise groupcommit.Start
	// Traces takes the spans of groups and merges; nil for none.
	Traces trace.TracerProvider
}

// Service works on sessions. Close it to let what is queued be written.
type Service struct {
	Config
	store     store.Store
	tracer    trace.Tracer
	collector *groupcommit.Collector[*job]
	line      *groupcommit.WaitQueue // of submissions that no group has taken on yet
}

// maxGroup is how many submissions one transaction carries at most.
const maxGroup = 256

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
	service := &Service{Config: c, store: s, line: groupcommit.NewWaitQueue(c.Now), tracer: c.Traces.Tracer("firemode/internal/record/merge")}
	service.collector = groupcommit.NewTraced(maxGroup, service.tracer, "results group", service.runGroup)
	service.collector.Supervise(c.Supervise)
	return service, nil
}

// Depth is how long the first of the submissions that no transaction has taken on yet has been waiting, 0 when none waits.
func (s *Service) Depth() time.Duration { return s.line.LongestWait() }

// Waiting returns how many submissions wait for the transaction before theirs.
func (s *Service) Waiting() int { return s.line.Len() }

// Close waits until everything that was submitted is written.
func (s *Service) Close() { s.collector.Close() }

type unmetered struct{}

func (unmetered) ConflictArose(string)                          {}
func (unmetered) Synced(context.Context, string, time.Duration) {}
func (unmetered) GroupCommitted(string, int)                    {}
func (unmetered) ChangesSettled(string, int)                    {}

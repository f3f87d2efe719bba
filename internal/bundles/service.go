// Package bundles makes the offline bundle: everything a technician needs for one session without a
// network.
//
// It promises that equal content has equal bytes and one ETag; that the results in a bundle are of
// one moment, which its clock names, and at most a second older than the head of the session; and
// that callers who ask for one bundle at the same time share one build. It keeps the bundles of the
// sessions requested last in memory, within bounds, and nothing on disk. A supervised worker builds
// bundles, as many at a time as there are processors.
//
// It does not know the API's types: Config.Encode turns the content of a bundle into text.
package bundles

import (
	"cmp"
	"context"
	"errors"
	"runtime"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"firemode"
	"firemode/internal/groupcommit"
	"firemode/internal/record/ledger"
	"firemode/internal/record/view"
	"firemode/internal/rules"
	"firemode/internal/store"
)

// MaxBytes is the greatest size of a bundle on the wire.
const MaxBytes = 50_000_000

// maxAge is how much older than the head of its session a bundle may be.
const maxAge = time.Second

const (
	defaultMaxResults   = 128 << 20
	defaultCacheEntries = 64
	defaultCacheBytes   = 256 << 20
)

// RuleSets returns the rules that an organisation sees, from memory.
type RuleSets interface {
	RuleSet(ctx context.Context, org firemode.OrgID) (*rules.Set, error)
}

// Encode returns the content of a bundle as text, the same bytes for the same content. It calls
// Content.Results once.
type Encode func(ctx context.Context, c Content) ([]byte, error)

// Bundle is a bundle that is ready to be sent. It is immutable.
type Bundle struct {
	Session   firemode.SessionID
	Seq       int64             // of the last log entry in its results
	ETag      string            // strong ETag of the text without a content encoding, without quotes
	Encodings map[string][]byte // the text by content encoding: "" for none, "gzip", "zstd"
}

func (b *Bundle) size() (bytes int64) {
	for _, text := range b.Encodings {
		bytes += int64(len(text))
	}
	return bytes
}

// Config is what a Service needs beside the store.
type Config struct {
	Views  *view.Service
	Rules  RuleSets
	Encode Encode
	Now    func() time.Time
	// CacheEntries is how many sessions' bundles are kept at most, and CacheBytes how much memory
	// they take; 0 means 64 and 256 MiB.
	CacheEntries int
	CacheBytes   int64
	// MaxResults is the greatest size in bytes of the encoded results in a bundle, which are held
	// in memory as a whole; 0 means 128 MiB.
	MaxResults int
	Traces     trace.TracerProvider // takes the spans of bundles; nil for none
	Supervise  groupcommit.Start    // starts the worker under supervision; nil for an unsupervised worker
}

// Service makes bundles. It is safe for concurrent use.
type Service struct {
	Config
	store  store.Store
	tracer trace.Tracer
	cache  *cache
	builds *groupcommit.Collector[*build]
}

// New returns a Service on s, or an error that names what the configuration lacks.
func New(s store.Store, c Config) (*Service, error) {
	if s == nil || c.Views == nil || c.Rules == nil || c.Encode == nil || c.Now == nil {
		return nil, errors.New("bundles: Config lacks a store, Views, Rules, Encode or Now")
	}
	c.MaxResults = cmp.Or(c.MaxResults, defaultMaxResults)
	if c.Traces == nil {
		c.Traces = noop.NewTracerProvider()
	}
	kept, err := newCache(cmp.Or(c.CacheEntries, defaultCacheEntries), cmp.Or(c.CacheBytes, defaultCacheBytes))
	if err != nil {
		return nil, err
	}
	made := &Service{Config: c, store: s, tracer: c.Traces.Tracer("firemode/internal/bundles"), cache: kept}
	made.builds = groupcommit.New(runtime.GOMAXPROCS(0), made.run)
	made.builds.Supervise(c.Supervise)
	return made, nil
}

// Close waits for the builds that have begun, and refuses further ones.
func (s *Service) Close() { s.builds.Close() }

// Get returns the bundle of a session that the caller may see. Results over MaxResults are
// CodeTooLarge.
func (s *Service) Get(ctx context.Context, id firemode.SessionID) (*Bundle, error) {
	ctx, span := s.tracer.Start(ctx, "bundle")
	defer span.End()
	p, err := firemode.Caller(ctx)
	if err != nil {
		return nil, err
	}
	var session firemode.Session
	err = s.store.View(ctx, func(tx store.ReadTx) error {
		session, err = store.VisibleSession(ctx, tx, p, id)
		return err
	})
	if err != nil {
		return nil, err
	}
	e := s.cache.entry(ledger.RefOf(session))
	e.mu.Lock()
	defer e.mu.Unlock()
	now := s.Now()
	fresh := e.bundle != nil && now.Sub(e.built) < maxAge
	if span.IsRecording() {
		span.SetAttributes(attribute.Bool("firemode.bundle.made", !fresh))
	}
	if fresh {
		return e.bundle, nil
	}
	b := &build{caller: p, span: span, session: session, last: e.bundle, plan: e.plan}
	if err := s.build(ctx, b); err != nil {
		return nil, err
	}
	e.bundle, e.plan, e.built = b.bundle, b.plan, now
	s.cache.resize(e, b.bundle.size())
	return e.bundle, nil
}

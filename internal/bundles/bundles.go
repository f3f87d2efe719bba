// Package bundle makes the offline bundle: everything a technician needs for one session with no network.
//
// It promises that equal content has equal bytes, that a bundle is of one moment which its clock names, that it trails the head
// of the session by at most a second, and that many who ask at once cost one build. It keeps the bundles of the sessions
// that were asked for last in memory, within bounds, and nothing on disk. Bundles are made by a builder that can be supervised, as many at
// a time as there are processors.
package bundles

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"firemode"
	"firemode/internal/groupcommit"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/rules"
	"firemode/internal/store"
)

// MaxBytes is the greatest size of a bundle on the wire.
const MaxBytes = 50_000_000

const (
	defaultPlain     = 128 << 20
	defaultKeep      = 64
	defaultKeepBytes = 256 << 20
)

// RuleSets returns the rules that an organisation sees, from memory.
type RuleSets interface {
	RuleSet(ctx context.Context, org firemode.OrgID) (*rules.Set, error)
}

// Form puts a bundle into the API's words.
type Form interface {
	// Results returns the merged document of the session as JSON, and of which moment it is; one of more than limit bytes is
	// CodeTooLarge.
	Results(ctx context.Context, session firemode.SessionID, limit int) (Results, error)
	// Bundle returns the whole as JSON, the same bytes for the same content.
	Bundle(Content) ([]byte, error)
}

// Results is a merged document.
type Results struct {
	JSON      []byte
	Clock     crdt.Clock
	Seq       int64
	ChangedAt time.Time // receipt of the last change in it
}

// Content is what a bundle holds.
type Content struct {
	Session  firemode.Session
	Building firemode.Building
	Assets   []firemode.Asset
	Items    []firemode.Item
	Book     *rules.Set        // to look the rule of each check up in
	Rules    []firemode.Rule   // of all checks, by code
	Faults   []firemode.Defect // of earlier sessions, still open
	Results  Results
}

// Bundle is a bundle that is ready to be sent. It does not change.
type Bundle struct {
	Session firemode.SessionID
	Seq     int64             // the document in it is as of this number
	Tag     string            // strong ETag of the plain form, without quotes
	Forms   map[string][]byte // by content encoding: "" for none, "gzip", "zstd"
}

// Config is what a Service needs beside the store.
type Config struct {
	Rules RuleSets
	Now   func() time.Time
	// Keep is how many sessions' bundles are kept at most, and KeepBytes how much memory they take; 0 means 64 and 256 MiB.
	Keep      int
	KeepBytes int64
	// Plain is the greatest size in bytes of the results in a bundle before they are compressed, since they are in memory as a
	// whole; 0 means 128 MiB.
	Plain int
	// Traces takes the spans of bundles; nil for none.
	Traces trace.TracerProvider
	// Supervise looks after the builder; nil for nobody.
	Supervise groupcommit.Start
}

// Service makes bundles.
type Service struct {
	Config
	store  store.Store
	tracer trace.Tracer
	kept   *lru.Cache[ledger.SessionRef, *entry]
	builds *groupcommit.Collector[*build]
}

// New returns a Service on s.
func New(s store.Store, c Config) (*Service, error) {
	if s == nil || c.Rules == nil || c.Now == nil {
		return nil, errors.New("bundle: no store, rule sets or clock")
	}
	c.Keep = cmp.Or(c.Keep, defaultKeep)
	c.KeepBytes = cmp.Or(c.KeepBytes, defaultKeepBytes)
	c.Plain = cmp.Or(c.Plain, defaultPlain)
	if c.Traces == nil {
		c.Traces = noop.NewTracerProvider()
	}
	kept, err := lru.New[ledger.SessionRef, *entry](c.Keep)
	if err != nil {
		return nil, err
	}
	made := &Service{Config: c, store: s, tracer: c.Traces.Tracer("firemode/internal/bundles"), kept: kept}
	made.builds = groupcommit.New(runtime.GOMAXPROCS(0), made.run)
	made.builds.Supervise(c.Supervise)
	return made, nil
}

// Close waits until the bundles that are being made are, and refuses further ones.
func (s *Service) Close() { s.builds.Close() }

// entry is the bundle of one session. Its lock is held while it is made, so that it is made once.
type entry struct {
	mu     sync.Mutex
	bundle *Bundle
	built  time.Time
	fixed  *Content     // the part that changes with the session's version only
	size   atomic.Int64 // of the bundle, in memory
}

// build is the making of one bundle. Its maker alone uses it until that is done.
type build struct {
	caller  firemode.Principal
	span    trace.Span // of the one who asks
	session firemode.Session
	form    Form
	known   *Bundle  // the last one, nil for none
	fixed   *Content // of the last one, and then of this
	made    *Bundle
	err     error
}

// fresh is how far a bundle may trail the head.
const fresh = time.Second

// Get returns the bundle of a session that the caller may see.
func (s *Service) Get(ctx context.Context, id firemode.SessionID, form Form) (*Bundle, error) {
	ctx, span := s.tracer.Start(ctx, "bundle")
	defer span.End()
	p, err := firemode.Caller(ctx)
	if err != nil {
		return nil, err
	}
	session, err := s.visible(ctx, p, id)
	if err != nil {
		return nil, err
	}
	e := s.entry(ledger.SessionRef{Org: p.Org, Session: id})
	e.mu.Lock()
	defer e.mu.Unlock()
	now := s.Now()
	isFresh := e.bundle != nil && now.Sub(e.built) < fresh
	if span.IsRecording() {
		span.SetAttributes(attribute.Bool("firemode.bundle.made", !isFresh))
	}
	if isFresh {
		return e.bundle, nil
	}
	b := &build{caller: p, span: span, session: session, form: form, known: e.bundle, fixed: e.fixed}
	switch err := s.builds.Do(ctx, b); {
	case errors.Is(err, groupcommit.ErrDown), errors.Is(err, groupcommit.ErrLost):
		return nil, firemode.Unavailable(time.Second, "the bundle cannot be made just now; try again")
	case err != nil:
		return nil, err
	case b.err != nil:
		return nil, b.err
	}
	e.bundle, e.fixed, e.built = b.made, b.fixed, now
	e.size.Store(b.made.size())
	s.fit()
	return e.bundle, nil
}

// fit drops the bundles that were not asked for longest until what is kept is small enough.
func (s *Service) fit() {
	total := int64(0)
	for _, e := range s.kept.Values() {
		total += e.size.Load()
	}
	for total > s.KeepBytes {
		_, e, ok := s.kept.RemoveOldest()
		if !ok {
			return
		}
		total -= e.size.Load()
	}
}

func (b *Bundle) size() (total int64) {
	for _, text := range b.Forms {
		total += int64(len(text))
	}
	return total
}

// run makes the bundles of a group, beside each other.
func (s *Service) run(ctx context.Context, group []*build) []error {
	var others sync.WaitGroup
	for _, b := range group[1:] {
		others.Go(func() { s.try(ctx, b) })
	}
	s.try(ctx, group[0])
	others.Wait()
	return nil
}

// try has the failure of one bundle be that of no other.
func (s *Service) try(ctx context.Context, b *build) {
	b.err = errors.New("bundle: the making was not brought to its end")
	defer func() {
		if p := recover(); p != nil {
			b.err = fmt.Errorf("bundle: panic in the making of %s: %v\n%s", b.session.ID, p, debug.Stack())
		}
	}()
	b.err = s.make(ctx, b)
}

// patience is how long the making of a bundle may take.
const patience = time.Minute

// make makes a bundle, whether or not the one who asked for it is still there.
func (s *Service) make(ctx context.Context, b *build) error {
	ctx, cancel := context.WithTimeout(firemode.WithPrincipal(trace.ContextWithSpan(ctx, b.span), b.caller), patience)
	defer cancel()
	content, err := s.content(ctx, b)
	if err != nil {
		return err
	}
	text, err := b.form.Bundle(content)
	if err != nil {
		return err
	}
	forms, tag := map[string][]byte(nil), tagOf(text)
	if b.known != nil && b.known.Tag == tag {
		forms = b.known.Forms
	} else if forms, err = encode(text); err != nil {
		return err
	}
	b.made = &Bundle{Session: b.session.ID, Seq: content.Results.Seq, Tag: tag, Forms: forms}
	return nil
}

func (s *Service) entry(at ledger.SessionRef) *entry {
	if e, ok := s.kept.Get(at); ok {
		return e
	}
	made := &entry{}
	if e, known, _ := s.kept.PeekOrAdd(at, made); known {
		return e
	}
	return made
}

func (s *Service) visible(ctx context.Context, p firemode.Principal, id firemode.SessionID) (session firemode.Session, err error) {
	err = s.store.View(ctx, func(tx store.ReadTx) error {
		if session, err = store.As[store.SessionReader](tx).Session(ctx, p.Org, id); err != nil {
			return err
		}
		building, err := store.As[store.BuildingReader](tx).Building(ctx, p.Org, session.Building)
		if err == nil && !(session.OpenTo(p) && building.ReadableBy(p)) {
			err = firemode.NotFound("there is no session %s", id)
		}
		return err
	})
	return session, err
}

func (s *Service) content(ctx context.Context, b *build) (Content, error) {
	if b.fixed == nil || b.fixed.Session.Version != b.session.Version {
		fixed, err := s.fixed(ctx, b.session)
		if err != nil {
			return fixed, err
		}
		b.fixed = &fixed
	}
	content := *b.fixed
	var err error
	if content.Results, err = b.form.Results(ctx, b.session.ID, s.Plain); err != nil {
		return content, err
	}
	err = s.store.View(ctx, func(tx store.ReadTx) error {
		content.Faults, err = faults(ctx, tx, b.session)
		return err
	})
	return content, err
}

// fixed reads what changes with the session's version only: building, register, items and their rules.
func (s *Service) fixed(ctx context.Context, session firemode.Session) (Content, error) {
	content := Content{Session: session}
	book, err := s.Rules.RuleSet(ctx, session.Org)
	if err != nil {
		return content, err
	}
	content.Book = book
	err = s.store.View(ctx, func(tx store.ReadTx) error {
		if content.Building, err = store.As[store.BuildingReader](tx).Building(ctx, session.Org, session.Building); err != nil {
			return err
		}
		err := store.As[store.AssetReader](tx).EachAsset(ctx, session.Org, session.Building, func(a firemode.Asset) error {
			content.Assets = append(content.Assets, a)
			return nil
		})
		if err != nil {
			return err
		}
		content.Items, err = items(ctx, tx, session)
		return err
	})
	content.Rules = used(content.Items, book)
	return content, err
}

const page = 1000

func items(ctx context.Context, tx store.ReadTx, session firemode.Session) (all []firemode.Item, err error) {
	for after := ""; ; {
		rows, err := store.As[store.ItemReader](tx).Items(ctx, session.Org, session.ID, store.ItemFilter{}, store.Page{After: after, Limit: page})
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			all = append(all, r.Row)
		}
		if len(rows) < page {
			return all, nil
		}
		after = rows[len(rows)-1].Key
	}
}

// faults are the defects of earlier sessions of the building that are still open: not closed, not withdrawn.
func faults(ctx context.Context, tx store.ReadTx, session firemode.Session) (all []firemode.Defect, err error) {
	open := []firemode.DefectStatus{firemode.DefectOpen, firemode.DefectNotified, firemode.DefectRectified}
	f := store.DefectFilter{Building: session.Building, NotSession: session.ID, Statuses: open}
	for after := ""; ; {
		rows, err := store.As[store.DefectReader](tx).Defects(ctx, session.Org, f, store.Page{After: after, Limit: page})
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			all = append(all, r.Row)
		}
		if len(rows) < page {
			return earlier(ctx, tx, session, all)
		}
		after = rows[len(rows)-1].Key
	}
}

// earlier keeps the defects whose session was made before this one.
func earlier(ctx context.Context, tx store.ReadTx, session firemode.Session, all []firemode.Defect) ([]firemode.Defect, error) {
	ids := map[firemode.SessionID]bool{}
	for _, d := range all {
		ids[d.Session] = false
	}
	sessions, err := store.As[store.SessionReader](tx).SessionsByID(ctx, session.Org, slices.Collect(maps.Keys(ids)))
	for _, s := range sessions {
		ids[s.ID] = s.CreatedAt.Before(session.CreatedAt)
	}
	return slices.DeleteFunc(all, func(d firemode.Defect) bool { return !ids[d.Session] }), err
}

// used returns the rule versions of all checks, by code and version, each once.
func used(items []firemode.Item, book *rules.Set) []firemode.Rule {
	seen := map[firemode.Check]bool{}
	var all []firemode.Rule
	for _, item := range items {
		for _, c := range item.Checks {
			if r, ok := book.At(c.Rule, c.Version); ok && !seen[c] {
				seen[c] = true
				all = append(all, r)
			}
		}
	}
	slices.SortFunc(all, func(a, b firemode.Rule) int {
		if a.Code != b.Code {
			return bytes.Compare([]byte(a.Code), []byte(b.Code))
		}
		return rules.CompareVersions(a.Version, b.Version)
	})
	return all
}

func tagOf(text []byte) string {
	sum := sha256.Sum256(text)
	return base64.RawURLEncoding.EncodeToString(sum[:18])
}

// encode returns the forms of a bundle by their encoding.
func encode(text []byte) (map[string][]byte, error) {
	forms := map[string][]byte{"": text}
	z, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	forms["zstd"] = z.EncodeAll(text, nil)
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	if _, err := w.Write(text); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	forms["gzip"] = zipped.Bytes()
	return forms, z.Close()
}

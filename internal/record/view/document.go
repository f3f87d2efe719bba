package view

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"firemode"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// Deliver records durably that a client was given the document as of number seq by other means: in a bundle.
func (s *Service) Deliver(ctx context.Context, session firemode.SessionID, client string, seq int64) error {
	p, err := firemode.Caller(ctx)
	if err != nil || client == "" {
		return err
	}
	actor, err := s.bind(ctx, p, Query{Session: session, Client: client})
	if err != nil {
		return err
	}
	return s.deliver(ctx, p, session, *actor, seq)
}

// bind returns the actor of the client that a query names, binding it to the caller if it is new; nil for a query that names none.
func (s *Service) bind(ctx context.Context, p firemode.Principal, q Query) (*ledger.Actor, error) {
	if q.Client == "" {
		return nil, nil
	}
	if !firemode.ValidID(q.Client) {
		return nil, firemode.Malformed("the header X-Client-ID is not an id")
	}
	at := ledger.SessionRef{Org: p.Org, Session: q.Session}
	var actors []ledger.Actor
	err := s.store.View(ctx, func(tx store.ReadTx) error {
		if _, err := store.VisibleSession(ctx, tx, p, q.Session); err != nil {
			return err
		}
		var err error
		actors, err = store.As[store.ActorReader](tx).Actors(ctx, at, []crdt.ActorID{crdt.ActorID(q.Client), crdt.NaiveActor(q.Client, "")})
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, a := range actors {
		if a.User != p.User {
			return nil, firemode.Forbidden("the client id %s belongs to another user", q.Client)
		}
	}
	if i := slices.IndexFunc(actors, func(a ledger.Actor) bool { return a.ID == crdt.ActorID(q.Client) }); i >= 0 {
		return &actors[i], nil
	}
	return s.bindNew(ctx, p, at, q.Client)
}

func (s *Service) bindNew(ctx context.Context, p firemode.Principal, at ledger.SessionRef, client string) (*ledger.Actor, error) {
	var bound ledger.Actor
	err := s.store.Update(ctx, func(tx store.Tx) error {
		n, err := store.As[store.ActorReader](tx).CountActors(ctx, at, p.User)
		if err != nil {
			return err
		}
		if n >= ledger.MaxActors {
			return firemode.InvalidField("X-Client-ID", "you have %d clients in this session, which is the limit", ledger.MaxActors)
		}
		bound, err = store.As[store.ActorWriter](tx).BindActor(ctx, at, ledger.Actor{ID: crdt.ActorID(client), Client: client, User: p.User})
		if err == nil && bound.User != p.User {
			return firemode.Forbidden("the client id %s belongs to another user", client)
		}
		return err
	})
	return &bound, err
}

// deliver makes it durable that the document as of number seq is given to a client. What was delivered before costs nothing.
func (s *Service) deliver(ctx context.Context, p firemode.Principal, session firemode.SessionID, client ledger.Actor, seq int64) error {
	if seq <= client.Delivered {
		return nil
	}
	return s.store.Update(ctx, func(tx store.Tx) error {
		return store.As[store.ActorWriter](tx).Deliver(ctx, ledger.SessionRef{Org: p.Org, Session: session}, client.ID, seq)
	})
}

// writeDelta writes what changed after a cursor: the current values at the changed paths, the paths that show nothing any more,
// and every conflict that is open at, above or below one of these. A client that takes it drops what it has at the removed paths, puts
// each value of the document in the place of whatever it has there, and replaces the conflicts at, above and below all of them.
func (d *document) writeDelta(q Query) (Header, error) {
	since := *q.Since
	if err := d.checkCursor(since); err != nil {
		return Header{}, err
	}
	limit := defaultDelta
	if q.Limit > 0 {
		limit = min(q.Limit, maxDelta)
	}
	changed, until, err := store.As[store.OpReader](d.tx).ChangedPaths(d.ctx, d.ref, since.Seq, d.head.Seq, limit)
	if err != nil {
		return Header{}, err
	}
	region, err := d.regionOf(changed)
	if err != nil {
		return Header{}, err
	}
	view, err := d.header(until)
	if err != nil {
		return view, err
	}
	if view.Complete = until == d.head.Seq; !view.Complete {
		view.Cursor.From, view.Cursor.Client = since.seenFrom(q.Client), q.Client
	}
	if err := d.sink.Begin(view); err != nil {
		return view, err
	}
	v := vacancyOf(changed)
	err = d.write(region.pass, func(r crdt.Reading) error {
		v.leaf(r.Path)
		return d.sink.Leaf(r)
	})
	if err != nil {
		return view, err
	}
	for _, p := range v.vacant() {
		if err := d.sink.Removed(p); err != nil {
			return view, err
		}
	}
	return view, d.late()
}

func (d *document) checkCursor(c Cursor) error {
	if c.Session != d.ref.Session {
		return firemode.Malformed("the cursor is one of another session")
	}
	gone := firemode.Gone("the cursor is from before the server was restored; fetch the whole document again")
	if c.Epoch != d.head.Epoch || c.Seq > d.head.Seq {
		return gone
	}
	now, err := d.cursor(c.Seq)
	if err == nil && !bytes.Equal(now.Hash, c.Hash) {
		return gone
	}
	return err
}

// Service2 answers what is recorded in sessions.
type Service struct{ store store.Store }

// NewViewService returns a Service on s.
func New(s store.Store) *Service { return &Service{s} }

// Query asks for the merged document.
type Query struct {
	Session firemode.SessionID
	Client  string  // the client that receives it, "" for nobody: then nothing counts as delivered
	Since   *Cursor // only what changed after it; nil for everything
	AtSeq   int64   // the document as of this number, 0 for now
	At      time.Time
	Limit   int // changes on a page of a delta, 0 for the default
}

// Cursor is a place in a session's log. One of another epoch, or whose hash is not that of the entry, is CodeGone.
type Cursor struct {
	Session firemode.SessionID
	Epoch   int64
	Seq     int64
	Hash    []byte // the first bytes of the hash of entry Seq
	// From and Client are of a cursor between two pages: the number at which the walk began, and to whom the pages before were
	// given. Asking for the next page proves that they came. Else From is Seq.
	From   int64
	Client string
}

// seenFrom returns the number up to which client must have been given the document already, for an answer since c to complete it.
func (c Cursor) seenFrom(client string) int64 {
	if c.Client == client {
		return c.From
	}
	return c.Seq
}

const cursorHash = 8

// Header is the head of an answer to a Query.
type Header struct {
	Session  firemode.SessionID
	Clock    crdt.Clock
	Cursor   Cursor
	Complete bool
	Seq      int64 // the number that the document is as of
	// Checkpoint is the signed note over the log as it is now.
	Checkpoint string
	// ChangedAt is the receipt of the last change in the document as it is now; of a past one it is not told.
	ChangedAt time.Time
}

// Sink takes an answer as it is made.
type Sink interface {
	Begin(Header) error
	// Leaf is called, after that, for each value of the document, in order of path; crdt.Composer makes JSON of them.
	Leaf(crdt.Reading) error
	// Conflict is called, after the document, for each conflict.
	Conflict(ledger.Conflict) error
	// Removed is called, after the conflicts, for each path of a delta at which nothing is shown any more.
	Removed(crdt.Pointer) error
	// Late is called, after that, for each batch that waits for the session to be reopened. Deltas list all of them too.
	Late(ledger.Entry) error
}

// defaultDelta is how many changes a page of a delta holds, and maxDelta how many may be asked for.
const (
	defaultDelta = 1000
	maxDelta     = 10_000
)

// Results writes the merged document to sink. Just before the end of a complete answer it records durably that the client was
// given it; only then may the last byte leave.
func (s *Service) Results(ctx context.Context, q Query, sink Sink) error {
	p, err := firemode.Caller(ctx)
	if err != nil {
		return err
	}
	client, err := s.bind(ctx, p, q)
	if err != nil {
		return err
	}
	var view Header
	err = s.store.View(ctx, func(tx store.ReadTx) error {
		session, err := store.VisibleSession(ctx, tx, p, q.Session)
		if err != nil {
			return err
		}
		head, err := store.As[store.HeadReader](tx).Head(ctx, ledger.RefOf(session))
		if err != nil {
			return err
		}
		d := &document{ctx: ctx, tx: tx, ref: ledger.RefOf(session), head: head, sink: sink}
		view, err = d.answer(q)
		return err
	})
	if err != nil || client == nil || !view.Complete || q.AtSeq > 0 || !q.At.IsZero() {
		return err
	}
	if q.Since != nil && q.Since.seenFrom(q.Client) > client.Delivered {
		return nil // what came before the cursor may never have been shown to this client
	}
	return s.deliver(ctx, p, q.Session, *client, view.Seq)
}

// document is one answer being made.
type document struct {
	ctx    context.Context
	tx     store.ReadTx
	ref    ledger.SessionRef
	head   ledger.Head
	sink   Sink
	seq    int64 // the number that what is shown is as of
	chains func(crdt.ActorID) crdt.Ranges
}

func (d *document) answer(q Query) (view Header, err error) {
	if d.chains, err = store.MergedRanges(d.ctx, d.tx, d.ref); err != nil {
		return view, err
	}
	if q.Since != nil {
		d.seq = d.head.Seq
		return d.writeDelta(q)
	}
	if d.seq, err = d.asOf(q); err != nil {
		return view, err
	}
	if view, err = d.header(d.seq); err != nil {
		return view, err
	}
	view.Complete = true
	if err := d.sink.Begin(view); err != nil {
		return view, err
	}
	if err := d.write(d.whole, d.sink.Leaf); err != nil {
		return view, err
	}
	return view, d.late()
}

// asOf returns the number that a query wants the document as of.
func (d *document) asOf(q Query) (int64, error) {
	switch {
	case q.AtSeq > d.head.Seq:
		return 0, firemode.InvalidField("at_seq", "the log ends at %d", d.head.Seq)
	case q.AtSeq > 0:
		return q.AtSeq, nil
	case !q.At.IsZero():
		return store.As[store.HeadReader](d.tx).SeqAt(d.ctx, d.ref, q.At)
	default:
		return d.head.Seq, nil
	}
}

// header is the head of an answer as of number seq.
func (d *document) header(seq int64) (Header, error) {
	clock, err := d.clock(seq)
	if err != nil {
		return Header{}, err
	}
	view := Header{Session: d.ref.Session, Clock: clock, Seq: seq, Checkpoint: d.head.Checkpoint}
	if seq == d.head.Seq {
		view.ChangedAt = d.head.ChangedAt
	}
	view.Cursor, err = d.cursor(seq)
	return view, err
}

// clock is that of the document as of number seq. Of more than MaxClock entries only those stay that a client needs to claim: of
// actors with something live.
func (d *document) clock(seq int64) (crdt.Clock, error) {
	clock, err := store.As[store.HeadReader](d.tx).ClockAt(d.ctx, d.ref, seq)
	if err != nil || len(clock) <= ledger.MaxClock {
		return clock, err
	}
	live := map[crdt.ActorID]bool{}
	err = d.eachLive("", func(op crdt.Op) error {
		live[op.Actor] = true
		return nil
	})
	maps.DeleteFunc(clock, func(id crdt.ActorID, _ int64) bool { return !live[id] })
	return clock, err
}

func (d *document) cursor(seq int64) (Cursor, error) {
	c := Cursor{Session: d.ref.Session, Epoch: d.head.Epoch, Seq: seq, From: seq}
	if seq == 0 {
		return c, nil
	}
	hash, err := store.As[store.EntryReader](d.tx).EntryHash(d.ctx, d.ref, seq)
	if err != nil {
		return c, err
	}
	c.Hash = hash[:cursorHash]
	return c, nil
}

// late lists what had arrived at number seq and waits for the session to be reopened.
func (d *document) late() error {
	if d.head.Late == 0 {
		return nil
	}
	err := store.As[store.EntryReader](d.tx).EachLateEntry(d.ctx, d.ref, func(b ledger.Entry) error {
		if b.Seq > d.seq {
			return store.ErrStop
		}
		return d.sink.Late(b)
	})
	if errors.Is(err, store.ErrStop) {
		return nil
	}
	return err
}

// Proof shows one recorded change to whoever holds the public key of this installation, as of the checkpoint of now. Its cost is
// that of reading the hashes of the whole log. A change that is not in the log is CodeNotFound.
func (s *Service) Proof(ctx context.Context, id firemode.SessionID, dot crdt.Dot) (proof ledger.Proof, err error) {
	err = s.viewLog(ctx, id, func(tx store.ReadTx, at ledger.SessionRef, head ledger.Head) error {
		b, err := loggedBatch(ctx, tx, at, dot)
		if err != nil {
			return err
		}
		recorded := b.Recorded()
		if dot.Index >= len(recorded) {
			return firemode.NotFound("there is no change %s", dot)
		}
		proof = ledger.Proof{Change: recorded[dot.Index], Entry: b.Header(at), Checkpoint: head.Checkpoint}
		changes, err := treeOf(b.Leaves())
		if err != nil {
			return err
		}
		if proof.ChangePath, err = changes.Inclusion(int64(dot.Index)); err != nil {
			return err
		}
		log, err := logTree(ctx, tx, at, head.Seq)
		if err != nil {
			return err
		}
		proof.EntryPath, err = log.Inclusion(b.Seq - 1)
		return err
	})
	return proof, err
}

// Continuation shows to whoever holds the checkpoint of size from that the log of now is that one with more behind it. A size
// that the log never had is CodeInvalid.
func (s *Service) Continuation(ctx context.Context, id firemode.SessionID, from int64) (c ledger.Continuation, err error) {
	err = s.viewLog(ctx, id, func(tx store.ReadTx, at ledger.SessionRef, head ledger.Head) error {
		if from < 1 || from > head.Seq {
			return firemode.InvalidField("from", "must be the size of the log at a checkpoint; it has %d entries now", head.Seq)
		}
		log, err := logTree(ctx, tx, at, head.Seq)
		if err != nil {
			return err
		}
		c = ledger.Continuation{From: from, Checkpoint: head.Checkpoint}
		c.Path, err = log.Consistency(from)
		return err
	})
	return c, err
}

// viewLog runs fn on the log of a session that the caller may see.
func (s *Service) viewLog(ctx context.Context, id firemode.SessionID, fn func(store.ReadTx, ledger.SessionRef, ledger.Head) error) error {
	p, err := firemode.Caller(ctx)
	if err != nil {
		return err
	}
	return s.store.View(ctx, func(tx store.ReadTx) error {
		session, err := store.VisibleSession(ctx, tx, p, id)
		if err != nil {
			return err
		}
		head, err := store.As[store.HeadReader](tx).Head(ctx, ledger.RefOf(session))
		if err != nil {
			return err
		}
		return fn(tx, ledger.RefOf(session), head)
	})
}

// loggedBatch returns the log entry of a change, with its changes.
func loggedBatch(ctx context.Context, tx store.ReadTx, at ledger.SessionRef, dot crdt.Dot) (b ledger.Entry, err error) {
	known, err := store.As[store.EntryReader](tx).Entries(ctx, at, []ledger.BatchRef{{Actor: dot.Actor, Number: dot.Batch}})
	if err != nil {
		return b, err
	}
	if len(known) == 0 {
		return b, firemode.NotFound("there is no change %s", dot)
	}
	err = store.As[store.EntryReader](tx).EachEntry(ctx, at, known[0].Seq, func(entry ledger.Entry) error {
		b = entry
		return store.ErrStop
	})
	if errors.Is(err, store.ErrStop) {
		err = nil
	}
	return b, err
}

func logTree(ctx context.Context, tx store.ReadTx, at ledger.SessionRef, size int64) (*ledger.Tree, error) {
	hashes, err := store.As[store.EntryReader](tx).EntryHashes(ctx, at, size)
	if err != nil {
		return nil, err
	}
	return treeOf(hashes)
}

func treeOf(leaves [][]byte) (*ledger.Tree, error) {
	tree := &ledger.Tree{}
	for _, leaf := range leaves {
		if err := tree.Add(leaf); err != nil {
			return nil, err
		}
	}
	return tree, nil
}

// pass goes through what is live, all of it or a part, and hands over what is shown and what is in conflict, each in order of path.
// What is nil is not wanted.
type pass func(leaf func(crdt.Reading) error, dispute func(crdt.Conflict) error) error

// write hands over the leaves that a pass finds, then the conflicts. Few conflicts are kept until the leaves are through; for more
// there is a second pass, so that no more is ever in memory than the greatest of them.
func (d *document) write(through pass, leaf func(crdt.Reading) error) error {
	var few keptConflicts
	if err := through(leaf, few.add); err != nil {
		return err
	}
	dispute := func(c crdt.Conflict) error { return d.sink.Conflict(ledger.DescribeConflict(c, 0)) }
	if few.size > maxKept {
		return through(nil, dispute)
	}
	for _, c := range few.list {
		if err := dispute(c); err != nil {
			return err
		}
	}
	return nil
}

// maxKept is how much is kept of conflicts while the document is written, in bytes.
const maxKept = 1 << 20

// siblingSize is about what is kept of a sibling beside its value.
const siblingSize = 512

// keptConflicts keeps conflicts until they are too many, and none from then on.
type keptConflicts struct {
	list []crdt.Conflict
	size int
}

func (k *keptConflicts) add(c crdt.Conflict) error {
	for _, op := range c.Siblings {
		k.size += siblingSize + len(op.Value)
	}
	if k.size > maxKept {
		k.list = nil
		return nil
	}
	k.list = append(k.list, c)
	return nil
}

// EachConflict calls fn for every open conflict of a session, in order of path, and stops at its first error.
func EachConflict(ctx context.Context, tx store.ReadTx, ref ledger.SessionRef, head ledger.Head, fn func(crdt.Conflict) error) error {
	merged, err := store.MergedRanges(ctx, tx, ref)
	if err != nil {
		return err
	}
	d := &document{ctx: ctx, tx: tx, ref: ref, head: head, seq: head.Seq, chains: merged}
	return d.whole(nil, fn)
}

// whole is the pass through everything.
func (d *document) whole(leaf func(crdt.Reading) error, dispute func(crdt.Conflict) error) error {
	w := d.walk(leaf, dispute)
	if err := d.eachLive("", w.Add); err != nil {
		return err
	}
	return w.End(false)
}

// walk returns a walk over what was live at number seq.
func (d *document) walk(leaf func(crdt.Reading) error, dispute func(crdt.Conflict) error) *crdt.Walk {
	w := &crdt.Walk{Chains: d.chains, Key: d.head.Key, Leaf: leaf, Conflict: dispute, Below: d.eachBelow, Contested: d.eachContested}
	if d.seq != d.head.Seq {
		w.Contested = d.eachBelow // the marks are those of now
	}
	return w
}

// eachLive calls fn for what was live at number seq at top and below; before the first entry that is nothing.
func (d *document) eachLive(top crdt.Pointer, fn func(crdt.Op) error) error {
	seq := d.seq
	switch seq {
	case 0:
		return nil
	case d.head.Seq:
		seq = 0 // now
	}
	return store.As[store.OpReader](d.tx).EachLiveOp(d.ctx, d.ref, seq, top, fn)
}

func (d *document) eachBelow(top crdt.Pointer, fn func(crdt.Op) error) error {
	return d.eachLive(top, func(op crdt.Op) error {
		if op.Path == top {
			return nil
		}
		return fn(op)
	})
}

func (d *document) eachContested(top crdt.Pointer, fn func(crdt.Op) error) error {
	contested, err := store.As[store.OpReader](d.tx).ContestedOps(d.ctx, d.ref, []crdt.Pointer{top})
	if err != nil {
		return err
	}
	for _, op := range contested {
		if err := fn(op); err != nil {
			return err
		}
	}
	return nil
}

// region is the part of a document that changes at some paths can have changed. What is live at these paths and above them is in
// memory; what is below is read as it is needed.
type region struct {
	*document
	live      map[crdt.Pointer][]crdt.Op // at the changed paths and above
	tops      []crdt.Pointer             // in order of the tree: the region is what is at and below them
	inhabited map[crdt.Pointer]bool      // of tops those below which something is live
}

func (d *document) regionOf(changed []crdt.Pointer) (*region, error) {
	r := &region{document: d, live: map[crdt.Pointer][]crdt.Op{}, inhabited: map[crdt.Pointer]bool{}}
	if len(changed) == 0 {
		return r, nil
	}
	live, err := store.As[store.OpReader](d.tx).LiveOps(d.ctx, d.ref, crdt.WithAncestors(changed), nil)
	if err != nil {
		return nil, err
	}
	for _, op := range live {
		r.live[op.Path] = append(r.live[op.Path], op)
	}
	r.tops = r.topsOf(changed)
	inhabited, err := store.As[store.OpReader](d.tx).Inhabited(d.ctx, d.ref, r.tops)
	for _, p := range inhabited {
		r.inhabited[p] = true
	}
	return r, err
}

// topsOf returns, in order of the tree and each once, below which paths what is shown may have changed: a change below a live
// value may hide or uncover everything beside it. A removal hides nothing.
func (r *region) topsOf(changed []crdt.Pointer) []crdt.Pointer {
	var tops []crdt.Pointer
	for _, p := range changed {
		top := p
		for _, above := range p.Ancestors() {
			if slices.ContainsFunc(r.live[above], func(op crdt.Op) bool { return op.Kind != crdt.Remove }) {
				top = above
			}
		}
		tops = append(tops, top)
	}
	slices.SortFunc(tops, func(a, b crdt.Pointer) int { return strings.Compare(a.Key(), b.Key()) })
	kept := tops[:0]
	for _, p := range tops {
		if len(kept) == 0 || !kept[len(kept)-1].Holds(p) {
			kept = append(kept, p)
		}
	}
	return kept
}

// pass hands over what is shown in the region, and every conflict in it and above it.
func (r *region) pass(leaf func(crdt.Reading) error, dispute func(crdt.Conflict) error) error {
	passed := map[crdt.Pointer]bool{}
	for _, top := range r.tops {
		for _, above := range slices.Backward(top.Ancestors()) {
			if dispute == nil || passed[above] || len(r.live[above]) == 0 {
				continue
			}
			passed[above] = true
			if err := r.alone(above, true, nil, dispute); err != nil {
				return err
			}
		}
		if err := r.below(top, leaf, dispute); err != nil {
			return err
		}
	}
	return nil
}

// below passes through top and what is below it.
func (r *region) below(top crdt.Pointer, leaf func(crdt.Reading) error, dispute func(crdt.Conflict) error) error {
	if !r.inhabited[top] {
		return r.alone(top, false, leaf, dispute)
	}
	w := r.walk(leaf, dispute)
	if err := r.eachLive(top, w.Add); err != nil {
		return err
	}
	return w.End(false)
}

// alone passes through one path of which the live operations are in memory.
func (r *region) alone(p crdt.Pointer, inhabited bool, leaf func(crdt.Reading) error, dispute func(crdt.Conflict) error) error {
	w := r.walk(leaf, dispute)
	for _, op := range r.live[p] {
		if err := w.Add(op); err != nil {
			return err
		}
	}
	return w.End(inhabited)
}

// vacancy finds which of some changed paths show nothing: not at them, not below and not above. It is told of every leaf of their region.
type vacancy struct {
	changed  []crdt.Pointer
	occupied map[crdt.Pointer]bool // by path that changed: whether a leaf is there or below
	covering map[crdt.Pointer]bool // by path above one that changed: whether a leaf is there
}

func vacancyOf(changed []crdt.Pointer) *vacancy {
	v := &vacancy{changed: changed, occupied: map[crdt.Pointer]bool{}, covering: map[crdt.Pointer]bool{}}
	for _, p := range changed {
		v.occupied[p] = false
		for _, above := range p.Ancestors() {
			v.covering[above] = false
		}
	}
	return v
}

func (v *vacancy) leaf(p crdt.Pointer) {
	if _, above := v.covering[p]; above {
		v.covering[p] = true
	}
	for q, ok := p, true; ok; q, ok = q.Parent() {
		if _, changed := v.occupied[q]; changed {
			v.occupied[q] = true
		}
	}
}

// vacant returns the changed paths that show nothing.
func (v *vacancy) vacant() []crdt.Pointer {
	var vacant []crdt.Pointer
	for _, p := range v.changed {
		if !v.occupied[p] && !slices.ContainsFunc(p.Ancestors(), func(above crdt.Pointer) bool { return v.covering[above] }) {
			vacant = append(vacant, p)
		}
	}
	return vacant
}

// History lists every change that was ever made at a path and below, newest first.
func (s *Service) History(ctx context.Context, id firemode.SessionID, path crdt.Pointer, page store.Page) (list []store.Keyed[ledger.Op], err error) {
	p, err := firemode.Caller(ctx)
	if err != nil {
		return nil, err
	}
	err = s.store.View(ctx, func(tx store.ReadTx) error {
		session, err := store.VisibleSession(ctx, tx, p, id)
		if err != nil {
			return err
		}
		list, err = store.As[store.OpReader](tx).History(ctx, ledger.RefOf(session), path, page)
		return err
	})
	return list, err
}

package sessions

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"firemode"
	"firemode/internal/crdt"
	"firemode/internal/store"
)

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

// View is the head of an answer to a Query.
type View struct {
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

// Sink takes an answer as it is made. Document is written between Begin and the first Conflict, as one JSON object.
type Sink interface {
	Begin(View) error
	io.Writer
	Conflict(Conflict) error
	// Removed is called, after the conflicts, for each path of a delta at which nothing is shown any more.
	Removed(crdt.Pointer) error
	// Late is called, after that, for each batch that waits for the session to be reopened. Deltas list all of them too.
	Late(store.Batch) error
}

// defaultDelta is how many changes a page of a delta holds, and maxDelta how many may be asked for.
const (
	defaultDelta = 1000
	maxDelta     = 10_000
)

// Results writes the merged document to sink. Just before the end of a complete answer it records durably that the client was
// given it; only then may the last byte leave.
func (s *Service) Results(ctx context.Context, q Query, sink Sink) error {
	p, err := caller(ctx)
	if err != nil {
		return err
	}
	client, err := s.bind(ctx, p, q)
	if err != nil {
		return err
	}
	var view View
	err = s.store.View(ctx, func(tx store.ReadTx) error {
		session, err := visible(ctx, tx, p, q.Session)
		if err != nil {
			return err
		}
		head, err := tx.Head(ctx, ref(session))
		if err != nil {
			return err
		}
		d := &document{ctx: ctx, tx: tx, ref: ref(session), head: head, sink: sink}
		view, err = d.write(q)
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

// Deliver records durably that a client was given the document as of number seq by other means: in a bundle.
func (s *Service) Deliver(ctx context.Context, session firemode.SessionID, client string, seq int64) error {
	p, err := caller(ctx)
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
func (s *Service) bind(ctx context.Context, p firemode.Principal, q Query) (*store.Actor, error) {
	if q.Client == "" {
		return nil, nil
	}
	if !firemode.ValidID(q.Client) {
		return nil, firemode.Malformed("the header X-Client-ID is not an id")
	}
	at := store.SessionRef{Org: p.Org, Session: q.Session}
	var actors []store.Actor
	err := s.store.View(ctx, func(tx store.ReadTx) error {
		if _, err := visible(ctx, tx, p, q.Session); err != nil {
			return err
		}
		var err error
		actors, err = tx.Actors(ctx, at, []crdt.ActorID{crdt.ActorID(q.Client), crdt.NaiveActor(q.Client, "")})
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
	if i := slices.IndexFunc(actors, func(a store.Actor) bool { return a.ID == crdt.ActorID(q.Client) }); i >= 0 {
		return &actors[i], nil
	}
	return s.bindNew(ctx, p, at, q.Client)
}

func (s *Service) bindNew(ctx context.Context, p firemode.Principal, at store.SessionRef, client string) (*store.Actor, error) {
	var bound store.Actor
	err := s.store.Update(ctx, func(tx store.Tx) error {
		n, err := tx.CountActors(ctx, at, p.User)
		if err != nil {
			return err
		}
		if n >= maxActors {
			return firemode.InvalidField("X-Client-ID", "you have %d clients in this session, which is the limit", maxActors)
		}
		bound, err = tx.BindActor(ctx, at, store.Actor{ID: crdt.ActorID(client), Client: client, User: p.User})
		if err == nil && bound.User != p.User {
			return firemode.Forbidden("the client id %s belongs to another user", client)
		}
		return err
	})
	return &bound, err
}

// deliver makes it durable that the document as of number seq is given to a client. What was delivered before costs nothing.
func (s *Service) deliver(ctx context.Context, p firemode.Principal, session firemode.SessionID, client store.Actor, seq int64) error {
	if seq <= client.Delivered {
		return nil
	}
	return s.store.Update(ctx, func(tx store.Tx) error {
		return tx.Deliver(ctx, store.SessionRef{Org: p.Org, Session: session}, client.ID, seq)
	})
}

// document is one answer being made.
type document struct {
	ctx  context.Context
	tx   store.ReadTx
	ref  store.SessionRef
	head firemode.Head
	sink Sink
}

func (d *document) write(q Query) (View, error) {
	if q.Since != nil {
		return d.writeDelta(q)
	}
	seq, err := d.asOf(q)
	if err != nil {
		return View{}, err
	}
	view, err := d.view(seq)
	if err != nil {
		return view, err
	}
	view.Complete = true
	if err := d.sink.Begin(view); err != nil {
		return view, err
	}
	conflicts, err := d.writeWhole(seq)
	if err != nil {
		return view, err
	}
	for _, c := range conflicts {
		if err := d.sink.Conflict(newConflict(c, 0)); err != nil {
			return view, err
		}
	}
	return view, d.late(seq)
}

// asOf returns the number that a query wants the document as of.
func (d *document) asOf(q Query) (int64, error) {
	switch {
	case q.AtSeq > d.head.Seq:
		return 0, firemode.InvalidField("at_seq", "the log ends at %d", d.head.Seq)
	case q.AtSeq > 0:
		return q.AtSeq, nil
	case !q.At.IsZero():
		return d.tx.SeqAt(d.ctx, d.ref, q.At)
	default:
		return d.head.Seq, nil
	}
}

// view is the head of an answer as of number seq.
func (d *document) view(seq int64) (View, error) {
	clock, err := d.tx.ClockAt(d.ctx, d.ref, seq)
	if err != nil {
		return View{}, err
	}
	view := View{Session: d.ref.Session, Clock: clock, Seq: seq, Checkpoint: d.head.Checkpoint}
	if seq == d.head.Seq {
		view.ChangedAt = d.head.ChangedAt
	}
	view.Cursor, err = d.cursor(seq)
	return view, err
}

func (d *document) cursor(seq int64) (Cursor, error) {
	c := Cursor{Session: d.ref.Session, Epoch: d.head.Epoch, Seq: seq, From: seq}
	if seq == 0 {
		return c, nil
	}
	hash, err := d.tx.EntryHash(d.ctx, d.ref, seq)
	if err != nil {
		return c, err
	}
	c.Hash = hash[:cursorHash]
	return c, nil
}

// late lists what had arrived at number seq and waits for the session to be reopened.
func (d *document) late(seq int64) error {
	if d.head.Late == 0 {
		return nil
	}
	batches, err := d.tx.LateBatches(d.ctx, d.ref)
	if err != nil {
		return err
	}
	for _, b := range batches {
		if b.Seq > seq {
			break
		}
		if err := d.sink.Late(b); err != nil {
			return err
		}
	}
	return nil
}

// chains returns the merged batches of every actor.
func chains(ctx context.Context, tx store.ReadTx, ref store.SessionRef) (func(crdt.ActorID) crdt.Ranges, error) {
	actors, err := tx.Actors(ctx, ref, nil)
	if err != nil {
		return nil, err
	}
	merged := make(map[crdt.ActorID]crdt.Ranges, len(actors))
	for _, a := range actors {
		merged[a.ID] = a.Merged
	}
	return func(id crdt.ActorID) crdt.Ranges { return merged[id] }, nil
}

// writeWhole writes everything that was live at number seq, part by part: what is below one second-level path, such as an item,
// is in memory at a time, unless something is live above it, which makes its first-level path the part. It returns the conflicts.
func (d *document) writeWhole(seq int64) ([]crdt.Conflict, error) {
	merged, err := chains(d.ctx, d.tx, d.ref)
	if err != nil {
		return nil, err
	}
	w := &parts{document: d, chains: merged, historic: seq != d.head.Seq}
	if _, err := d.sink.Write([]byte{'{'}); err != nil {
		return nil, err
	}
	if err := d.eachLive(seq, w.add); err != nil {
		return nil, err
	}
	if err := w.close(); err != nil {
		return nil, err
	}
	_, err = d.sink.Write([]byte{'}'})
	return w.conflicts, err
}

// eachLive calls fn for what was live at number seq; before the first entry that is nothing.
func (d *document) eachLive(seq int64, fn func(crdt.Op) error) error {
	switch seq {
	case 0:
		return nil
	case d.head.Seq:
		seq = 0 // now
	}
	return d.tx.EachLiveOp(d.ctx, d.ref, seq, fn)
}

// parts cuts a walk over live operations, in the order of the tree, into parts, and writes each when it is whole.
type parts struct {
	*document
	chains    func(crdt.ActorID) crdt.Ranges
	historic  bool // contested marks are those of now and must be made anew
	conflicts []crdt.Conflict

	top   string // first segment of the part
	part  crdt.Pointer
	state *crdt.State
	open  string // first-level member whose object is being written, "" for none
	wrote bool   // something is in the document
	inner bool   // something is in the open object
}

func (w *parts) add(op crdt.Op) error {
	segments := op.Path.Segments()
	part := crdt.Pointer("/" + segments[0])
	wholeTop := w.part == part // something is live at the first level: all below belongs together
	if len(segments) > 1 && !wholeTop {
		part += crdt.Pointer("/" + segments[1])
	}
	if part != w.part {
		if err := w.flush(); err != nil {
			return err
		}
		w.part, w.top, w.state = part, segments[0], crdt.NewState(w.chains)
	}
	w.state.Load(op)
	return nil
}

// flush writes the part that is whole now.
func (w *parts) flush() error {
	if w.state == nil {
		return nil
	}
	if w.historic {
		w.state.Recontest()
	}
	w.conflicts = append(w.conflicts, w.state.Conflicts(w.part, w.head.Key)...)
	var out bytes.Buffer
	second := strings.Count(string(w.part), "/") == 2
	if !second {
		if err := w.shut(); err != nil {
			return err
		}
		if !w.state.WriteMembers(&out, "") {
			return nil
		}
		err := w.comma(&w.wrote)
		if err == nil {
			_, err = w.sink.Write(out.Bytes())
		}
		return err
	}
	if !w.state.WriteMembers(&out, crdt.Pointer("/"+w.top)) {
		return nil
	}
	if err := w.enter(w.top); err != nil {
		return err
	}
	if err := w.comma(&w.inner); err != nil {
		return err
	}
	_, err := w.sink.Write(out.Bytes())
	return err
}

// enter opens the object of a first-level member.
func (w *parts) enter(top string) error {
	if w.open == top {
		return nil
	}
	if err := w.shut(); err != nil {
		return err
	}
	if err := w.comma(&w.wrote); err != nil {
		return err
	}
	w.open, w.inner = top, false
	_, err := fmt.Fprintf(w.sink, "%s:{", quote(crdt.Unescape(top)))
	return err
}

func (w *parts) shut() error {
	if w.open == "" {
		return nil
	}
	w.open = ""
	_, err := w.sink.Write([]byte{'}'})
	return err
}

func (w *parts) comma(after *bool) error {
	if !*after {
		*after = true
		return nil
	}
	_, err := w.sink.Write([]byte{','})
	return err
}

func (w *parts) close() error {
	if err := w.flush(); err != nil {
		return err
	}
	return w.shut()
}

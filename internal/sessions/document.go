package sessions

import (
	"context"
	"errors"
	"maps"
	"time"

	"firemode"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
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

// Sink takes an answer as it is made.
type Sink interface {
	Begin(View) error
	// Leaf is called, after that, for each value of the document, in order of path; crdt.Composer makes JSON of them.
	Leaf(crdt.Reading) error
	// Conflict is called, after the document, for each conflict.
	Conflict(Conflict) error
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
	var view View
	err = s.store.View(ctx, func(tx store.ReadTx) error {
		session, err := visible(ctx, tx, p, q.Session)
		if err != nil {
			return err
		}
		head, err := store.As[store.HeadReader](tx).Head(ctx, ref(session))
		if err != nil {
			return err
		}
		d := &document{ctx: ctx, tx: tx, ref: ref(session), head: head, sink: sink}
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

func (d *document) answer(q Query) (view View, err error) {
	if d.chains, err = chains(d.ctx, d.tx, d.ref); err != nil {
		return view, err
	}
	if q.Since != nil {
		d.seq = d.head.Seq
		return d.writeDelta(q)
	}
	if d.seq, err = d.asOf(q); err != nil {
		return view, err
	}
	if view, err = d.view(d.seq); err != nil {
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

// view is the head of an answer as of number seq.
func (d *document) view(seq int64) (View, error) {
	clock, err := d.clock(seq)
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

// clock is that of the document as of number seq. Of more than MaxClock entries only those stay that a client needs to claim: of
// actors with something live.
func (d *document) clock(seq int64) (crdt.Clock, error) {
	clock, err := store.As[store.HeadReader](d.tx).ClockAt(d.ctx, d.ref, seq)
	if err != nil || len(clock) <= MaxClock {
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
			return errFound
		}
		return d.sink.Late(b)
	})
	if errors.Is(err, errFound) {
		return nil
	}
	return err
}

// chains returns the merged batches of every actor.
func chains(ctx context.Context, tx store.ReadTx, ref ledger.SessionRef) (func(crdt.ActorID) crdt.Ranges, error) {
	actors, err := store.As[store.ActorReader](tx).Actors(ctx, ref, nil)
	if err != nil {
		return nil, err
	}
	merged := make(map[crdt.ActorID]crdt.Ranges, len(actors))
	for _, a := range actors {
		merged[a.ID] = a.Merged
	}
	return func(id crdt.ActorID) crdt.Ranges { return merged[id] }, nil
}

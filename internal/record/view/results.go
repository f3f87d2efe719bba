package view

import (
	"context"
	"time"

	"firemode"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
)

// Query asks for the merged document.
type Query struct {
	Session firemode.SessionID
	Client  string  // the client that receives it; "" for none, then nothing counts as delivered
	Since   *Cursor // only what changed after it; nil for the whole document
	AtSeq   int64   // the document as of this log entry; 0 for now
	At      time.Time
	Limit   int // changes on a page of a delta; 0 for the default
}

// past reports whether q asks for the document as it was.
func (q Query) past() bool { return q.AtSeq > 0 || !q.At.IsZero() }

// Header is what a Sink is given first.
type Header struct {
	Session  firemode.SessionID
	Clock    crdt.Clock
	Cursor   Cursor
	Complete bool  // false for a page of a delta that is followed by another
	Seq      int64 // of the log entry that the document is as of
	// Checkpoint is the signed note over the log as it is now.
	Checkpoint string
	// ChangedAt is the receipt of the last change in the current document. It is zero for a past
	// one.
	ChangedAt time.Time
}

// Sink takes a document while it is read. Its methods are called in the order in which they stand
// here. The first error ends the reading and is returned.
type Sink interface {
	Begin(Header) error
	// Leaf is called for each value of the document, in order of path. crdt.Composer makes JSON of
	// them.
	Leaf(crdt.Reading) error
	// Conflict is called for each conflict, in order of path.
	Conflict(ledger.Conflict) error
	// Removed is called for each path of a delta at which nothing is shown any more.
	Removed(crdt.Pointer) error
	// Late is called for each batch that waits for the session to be reopened. A delta lists all of
	// them too.
	Late(ledger.Entry) error
}

// Results writes the merged document to sink. If a query names a client and its document is
// complete, Results then records that it was delivered: the caller must not send the end of the
// document before Results returns nil.
func (s *Service) Results(ctx context.Context, q Query, sink Sink) error {
	p, err := firemode.Caller(ctx)
	if err != nil {
		return err
	}
	client, err := s.bind(ctx, p, q.Session, q.Client)
	if err != nil {
		return err
	}
	var header Header
	err = s.view(ctx, p, q.Session, func(at snapshot) error {
		d, err := newDocument(ctx, at)
		if err != nil {
			return err
		}
		if q.Since != nil {
			header, err = d.writeDelta(ctx, q, sink)
		} else {
			header, err = d.writeWhole(ctx, q, sink)
		}
		return err
	})
	if err != nil || client == nil || !header.Complete || q.past() {
		return err
	}
	if q.Since != nil && q.Since.seenFrom(q.Client) > client.Delivered {
		return nil // the client may never have been given what came before the cursor
	}
	return s.deliver(ctx, p, q.Session, *client, header.Seq)
}

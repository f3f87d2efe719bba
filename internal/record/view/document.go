package view

import (
	"context"
	"errors"
	"maps"

	"firemode"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// document reads the merged document of a session as of one log entry.
type document struct {
	snapshot
	heads   store.HeadReader
	entries store.EntryReader
	ops     store.OpReader
	merged  func(crdt.ActorID) crdt.Ranges // the merged batches of an actor
	seq     int64                          // of the log entry that the document is as of
}

// newDocument returns the document as of now.
func newDocument(ctx context.Context, at snapshot) (*document, error) {
	merged, err := store.MergedRanges(ctx, at.tx, at.ref)
	return &document{
		snapshot: at, heads: store.As[store.HeadReader](at.tx), entries: store.As[store.EntryReader](at.tx),
		ops: store.As[store.OpReader](at.tx), merged: merged, seq: at.head.Seq,
	}, err
}

// writeWhole writes the document as of the moment that q names.
func (d *document) writeWhole(ctx context.Context, q Query, sink Sink) (h Header, err error) {
	if d.seq, err = d.seqOf(ctx, q); err != nil {
		return h, err
	}
	if h, err = d.header(ctx, d.seq); err != nil {
		return h, err
	}
	h.Complete = true
	if err := sink.Begin(h); err != nil {
		return h, err
	}
	if err := writeShown(ctx, d.walkAll, sink.Leaf, sink); err != nil {
		return h, err
	}
	return h, d.writeLate(ctx, sink)
}

// seqOf returns the number of the log entry that q wants the document as of.
func (d *document) seqOf(ctx context.Context, q Query) (int64, error) {
	switch {
	case q.AtSeq > d.head.Seq:
		return 0, firemode.InvalidField("at_seq", "the log ends at %d", d.head.Seq)
	case q.AtSeq > 0:
		return q.AtSeq, nil
	case !q.At.IsZero():
		return d.heads.SeqAt(ctx, d.ref, q.At)
	default:
		return d.head.Seq, nil
	}
}

// header returns the header of the document as of log entry seq.
func (d *document) header(ctx context.Context, seq int64) (Header, error) {
	clock, err := d.clock(ctx, seq)
	if err != nil {
		return Header{}, err
	}
	h := Header{Session: d.ref.Session, Clock: clock, Seq: seq, Checkpoint: d.head.Checkpoint}
	if seq == d.head.Seq {
		h.ChangedAt = d.head.ChangedAt
	}
	h.Cursor, err = d.cursor(ctx, seq)
	return h, err
}

// clock returns the clock of the document as of log entry seq. A clock of more than MaxClock
// entries keeps only those that a client must be able to post: of actors with a live operation.
func (d *document) clock(ctx context.Context, seq int64) (crdt.Clock, error) {
	clock, err := d.heads.ClockAt(ctx, d.ref, seq)
	if err != nil || len(clock) <= ledger.MaxClock {
		return clock, err
	}
	live := map[crdt.ActorID]bool{}
	err = d.eachLive(ctx, "", func(op crdt.Op) error {
		live[op.Actor] = true
		return nil
	})
	maps.DeleteFunc(clock, func(id crdt.ActorID, _ int64) bool { return !live[id] })
	return clock, err
}

// writeLate writes the batches that had arrived at log entry seq and wait for the session to be
// reopened.
func (d *document) writeLate(ctx context.Context, sink Sink) error {
	if d.head.Late == 0 {
		return nil
	}
	err := d.entries.EachLateEntry(ctx, d.ref, func(e ledger.Entry) error {
		if e.Seq > d.seq {
			return store.ErrStop
		}
		return sink.Late(e)
	})
	if errors.Is(err, store.ErrStop) {
		return nil
	}
	return err
}

package view

import (
	"bytes"
	"context"

	"firemode"
)

// Cursor is a position in a session's log. A cursor of another epoch, or whose hash is not that of
// its entry, is from before a restore and CodeGone.
type Cursor struct {
	Session firemode.SessionID
	Epoch   int64
	Seq     int64
	Hash    []byte // the first cursorHash bytes of the hash of entry Seq
	// From and Client belong to a cursor between two pages of a delta: the number at which the
	// first page began, and the client that was given the pages so far. A client that asks for the
	// next page has these. Otherwise From is Seq.
	From   int64
	Client string
}

const cursorHash = 8

// seenFrom returns the number up to which client must have been given the document before the delta
// after c completes it.
func (c Cursor) seenFrom(client string) int64 {
	if c.Client == client {
		return c.From
	}
	return c.Seq
}

// cursor returns the cursor of log entry seq.
func (d *document) cursor(ctx context.Context, seq int64) (Cursor, error) {
	c := Cursor{Session: d.ref.Session, Epoch: d.head.Epoch, Seq: seq, From: seq}
	if seq == 0 {
		return c, nil
	}
	hash, err := d.entries.EntryHash(ctx, d.ref, seq)
	if err != nil {
		return c, err
	}
	c.Hash = hash[:cursorHash]
	return c, nil
}

// checkCursor returns an error unless c is a position in this log.
func (d *document) checkCursor(ctx context.Context, c Cursor) error {
	if c.Session != d.ref.Session {
		return firemode.Malformed("the cursor belongs to another session")
	}
	gone := firemode.Gone("the cursor is from before the server was restored; fetch the whole document")
	if c.Epoch != d.head.Epoch || c.Seq > d.head.Seq {
		return gone
	}
	now, err := d.cursor(ctx, c.Seq)
	if err == nil && !bytes.Equal(now.Hash, c.Hash) {
		return gone
	}
	return err
}

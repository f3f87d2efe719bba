package client

import (
	"context"
	"iter"
	"strconv"

	"firemode"
	"firemode/internal/record/crdt"
)

// PastChange is one entry of a path's history.
type PastChange struct {
	Sibling
	Sequence int64    `json:"sequence"`
	Names    []string `json:"dots"` // what a resolve or correct names
	Live     bool     `json:"live"` // nothing has superseded it
}

// History lists every change ever made at a path and below, newest first.
func (c *Client) History(ctx context.Context, id firemode.SessionID, p crdt.Pointer) iter.Seq2[PastChange, error] {
	return walk[PastChange](ctx, c, session(id, "history"), values("path", string(p)))
}

// ResultsAt returns the document as of number seq of the session's log.
func (c *Client) ResultsAt(ctx context.Context, id firemode.SessionID, seq int64) (r Results, err error) {
	_, err = c.do(ctx, get(session(id, "history"), values("at_seq", strconv.FormatInt(seq, 10))), &r)
	return r, err
}

package client

import (
	"context"
	"iter"

	"firemode"
)

// PastChange is one entry of the history of a path.
type PastChange struct {
	Sibling
	Sequence int64    `json:"sequence"` // of the session's log
	Names    []string `json:"dots"`     // of OpResolve and OpCorrect: the readings that it names
	Live     bool     `json:"live"`     // nothing has superseded it
}

// History lists every change that was ever made at a path and below, newest first.
func (c *Client) History(ctx context.Context, id firemode.SessionID, p Pointer) iter.Seq2[PastChange, error] {
	return list[PastChange](ctx, c, session(id, "history"), values("path", string(p)))
}

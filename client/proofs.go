package client

import (
	"bytes"
	"context"
	"strconv"

	"firemode"
)

// Proof returns the proof that a change, named by its dot, is in the log of a session: JSON to be kept byte for byte, and checked with the
// installation's public key alone.
func (c *Client) Proof(ctx context.Context, id firemode.SessionID, dot string) ([]byte, error) {
	var file bytes.Buffer
	_, err := c.do(ctx, get(session(id, "proof"), values("dot", dot)), &file)
	return file.Bytes(), err
}

// Continuation returns the proof that the log of now begins with that of an earlier checkpoint, of size from: JSON to be kept byte for byte.
func (c *Client) Continuation(ctx context.Context, id firemode.SessionID, from int64) ([]byte, error) {
	var file bytes.Buffer
	_, err := c.do(ctx, get(session(id, "consistency"), values("from", strconv.FormatInt(from, 10))), &file)
	return file.Bytes(), err
}

package client

import (
	"context"
	"io"
)

// Metrics writes the metrics of the server to w, in the text format of Prometheus. It needs no
// login. It fails if the server serves its metrics at another address.
func (c *Client) Metrics(ctx context.Context, w io.Writer) error {
	r := get("/metrics", nil)
	r.anonymous = true
	_, err := c.do(ctx, r, w)
	return err
}

package client

import (
	"context"
	"io"
)

// Health is what readiness says.
type Health struct {
	Ready  bool                   `json:"ready"`
	Status string                 `json:"status"` // "healthy" or "unhealthy"
	Checks map[string]HealthCheck `json:"checks"`
}

// HealthCheck is one part of readiness.
type HealthCheck struct {
	OK        bool    `json:"ok"`
	LatencyMS float64 `json:"latency_ms"`
	State     string  `json:"state"`   // "healthy", "degraded" or "unhealthy"
	Message   string  `json:"message"` // what is the matter, if anything is
}

// Ready waits until the server is ready, for as many attempts as a call has; then it is an error.
func (c *Client) Ready(ctx context.Context) (h Health, err error) {
	q := get("/health/ready", nil)
	q.anonymous = true
	_, err = c.do(ctx, q, &h)
	return h, err
}

// Metrics writes the server's metrics, as Prometheus reads them, to w.
func (c *Client) Metrics(ctx context.Context, w io.Writer) error {
	q := get("/metrics", nil)
	q.anonymous = true
	_, err := c.do(ctx, q, w)
	return err
}

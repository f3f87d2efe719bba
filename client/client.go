package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Config configures a Client. Only BaseURL is required.
type Config struct {
	BaseURL string       // of the server, e.g. "http://localhost:8080"
	HTTP    *http.Client // nil for a new one
	Tokens  Tokens       // of an earlier login, to continue it
	// Attempts is the number of attempts of one call, 0 for 8. The waits between them grow from 0.1
	// s to at most 10 s, so that eight attempts bridge an outage of about ten seconds.
	Attempts int
	// Now is the clock that decides when a token is about to expire; nil for time.Now.
	Now func() time.Time
	// Sleep waits between attempts; nil for a timer. It returns early, with the error of ctx, when
	// ctx ends.
	Sleep func(context.Context, time.Duration) error
	// Traces receives a span for each attempt, which the server continues; nil for no tracing.
	Traces trace.TracerProvider
}

const defaultAttempts = 8

// Client calls the API of one server as one user. It is safe for concurrent use.
type Client struct {
	base     string
	http     *http.Client
	attempts int
	sleep    func(context.Context, time.Duration) error
	now      func() time.Time
	tokens   *tokenSource
}

// New returns a client. It sends nothing to the server yet; an error says what is wrong with the
// configuration.
func New(c Config) (*Client, error) {
	base, err := url.Parse(c.BaseURL)
	switch {
	case err != nil:
		return nil, fmt.Errorf("client: base URL: %w", err)
	case base.Scheme != "http" && base.Scheme != "https", base.Host == "":
		return nil, fmt.Errorf("client: %q is not the URL of a server, such as http://localhost:8080", c.BaseURL)
	case c.Attempts < 0:
		return nil, errors.New("client: Attempts is negative")
	}
	made := &Client{base: strings.TrimRight(c.BaseURL, "/"), http: c.HTTP, attempts: c.Attempts, sleep: c.Sleep}
	if made.http == nil {
		made.http = &http.Client{}
	}
	if c.Traces != nil {
		made.http = traced(made.http, c.Traces)
	}
	if made.attempts == 0 {
		made.attempts = defaultAttempts
	}
	if made.sleep == nil {
		made.sleep = pause
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	made.now = c.Now
	made.tokens = newTokenSource(c.Tokens, c.Now, made.exchange)
	return made, nil
}

// pause waits for d or until ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// traced returns a copy of c that makes a span for each request and propagates trace and baggage to
// the server.
func traced(c *http.Client, provider trace.TracerProvider) *http.Client {
	below := c.Transport
	if below == nil {
		below = http.DefaultTransport
	}
	both := propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{})
	with := *c
	with.Transport = otelhttp.NewTransport(below,
		otelhttp.WithTracerProvider(provider), otelhttp.WithMeterProvider(noop.NewMeterProvider()),
		otelhttp.WithPropagators(both))
	return &with
}

// Metrics writes the metrics of the server to w, in the text format of Prometheus. It needs no
// login. It fails if the server serves its metrics at another address.
func (c *Client) Metrics(ctx context.Context, w io.Writer) error {
	r := get("/metrics", nil)
	r.anonymous = true
	_, err := c.do(ctx, r, w)
	return err
}

package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"go.opentelemetry.io/otel/trace"
)

// Config is what a Client needs. Only BaseURL must be given.
type Config struct {
	BaseURL string       // e.g. "http://localhost:8080"
	HTTP    *http.Client // nil for one of its own
	Tokens  Tokens       // of an earlier login, to go on with it
	// Attempts is how often a call is tried in all, 0 for 8. With less than 1 s in between at first and 10 s at most, eight
	// attempts bridge about half a minute.
	Attempts int
	Now      func() time.Time // nil for time.Now; tells when a token is about to expire, and how long attempts take
	// Sleep waits between attempts; nil for a timer. It returns early, with the error of ctx, when ctx ends.
	Sleep func(context.Context, time.Duration) error
	// Traces takes the span of each request, and the server is told that it belongs to its trace; nil for neither.
	Traces trace.TracerProvider
}

const defaultAttempts = 8

// Client talks to one server as one user. Its methods may be called at once from any number of goroutines.
type Client struct {
	base     string
	http     *http.Client
	attempts int
	sleep    func(context.Context, time.Duration) error
	now      func() time.Time
	tokens   *keeper
}

// New returns a client, which has not talked to the server yet.
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
	made.tokens = newKeeper(c.Tokens, c.Now, made.exchange)
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

package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-json-experiment/json"
)

// call is one request to the API, which may take several attempts.
type call struct {
	method, path string
	query        url.Values
	header       http.Header
	body         any        // sent as JSON, unless nil
	again        func() any // makes the body of a further attempt; nil where it is the same
	stream       io.Reader  // in place of body, sent as text/csv; repeated only if it is an io.Seeker
	anonymous    bool       // needs no token
	unkeyed      bool       // the server ignores an Idempotency-Key here: a write is then not repeated
}

func get(path string, query url.Values) call {
	return call{method: http.MethodGet, path: path, query: query}
}

func post(path string, body any) call { return call{method: http.MethodPost, path: path, body: body} }

// with returns c with a header.
func (c call) with(name, value string) call {
	if value == "" {
		return c
	}
	c.header = c.header.Clone()
	if c.header == nil {
		c.header = http.Header{}
	}
	c.header.Set(name, value)
	return c
}

// path joins segments below /v1, escaping each.
func path(segments ...string) string {
	var joined strings.Builder
	joined.WriteString("/v1")
	for _, s := range segments {
		joined.WriteString("/" + url.PathEscape(s))
	}
	return joined.String()
}

const headerKey = "Idempotency-Key"

// do makes a call and reads its answer into out: an io.Writer takes it as it comes, anything else is decoded from JSON, nil ignores it. It
// returns the header of the answer.
func (c *Client) do(ctx context.Context, q call, out any) (http.Header, error) {
	content, err := q.content()
	if err != nil {
		return nil, err
	}
	if q.method != http.MethodGet && !q.unkeyed && q.header.Get(headerKey) == "" {
		q = q.with(headerKey, rand.Text())
	}
	for attempt := 1; ; attempt++ {
		header, err := c.try(ctx, q, content, out)
		if err == nil {
			return header, nil
		}
		wait, again := backoff(attempt, err)
		if !again || ctx.Err() != nil || attempt == c.attempts || !content.repeatable() || q.unkeyed && q.method != http.MethodGet {
			return nil, fmt.Errorf("%s %s: %w", q.method, q.path, err)
		}
		if c.sleep(ctx, wait) != nil {
			return nil, fmt.Errorf("%s %s: %w", q.method, q.path, err)
		}
		if q.again == nil {
			continue
		}
		q.body = q.again()
		if content, err = q.content(); err != nil {
			return nil, err
		}
	}
}

// try makes one attempt, with a second one under a new token if the first one's was refused.
func (c *Client) try(ctx context.Context, q call, content content, out any) (http.Header, error) {
	if q.anonymous {
		return c.send(ctx, q, content, out)
	}
	access, err := c.tokens.current(ctx)
	if err != nil {
		return nil, err
	}
	header, err := c.send(ctx, q.with("Authorization", "Bearer "+access), content, out)
	if StatusOf(err) != http.StatusUnauthorized || !content.repeatable() {
		return header, err
	}
	renewed, renewal := c.tokens.renew(ctx, access)
	if renewal != nil {
		return nil, renewal
	}
	if renewed == access {
		return nil, err
	}
	return c.send(ctx, q.with("Authorization", "Bearer "+renewed), content, out)
}

// send makes one request.
func (c *Client) send(ctx context.Context, q call, content content, out any) (http.Header, error) {
	body, err := content.reader()
	if err != nil {
		return nil, err
	}
	target := c.base + q.path
	if len(q.query) > 0 {
		target += "?" + q.query.Encode()
	}
	request, err := http.NewRequestWithContext(ctx, q.method, target, body)
	if err != nil {
		return nil, err
	}
	for name, values := range q.header {
		request.Header[name] = values
	}
	content.describe(request.Header)
	request.Header.Set("Accept-Encoding", "zstd, gzip")
	answer, err := c.http.Do(request)
	if err != nil {
		return nil, &lostError{err}
	}
	defer answer.Body.Close()
	return answer.Header, receive(answer, out)
}

// receive reads an answer into out.
func receive(answer *http.Response, out any) error {
	plain, err := decoded(answer)
	if err != nil {
		return err
	}
	defer plain.Close()
	if w, stream := out.(io.Writer); stream && answer.StatusCode < http.StatusBadRequest {
		_, err := io.Copy(w, plain)
		return err
	}
	var body bytes.Buffer
	if _, err := body.ReadFrom(plain); err != nil {
		return &lostError{err}
	}
	switch {
	case answer.StatusCode >= http.StatusBadRequest:
		return errorOf(answer, body.Bytes())
	case out == nil, answer.StatusCode == http.StatusNoContent, answer.StatusCode == http.StatusNotModified:
		return nil
	}
	if err := json.Unmarshal(body.Bytes(), out); err != nil {
		return fmt.Errorf("the answer cannot be read: %w", err)
	}
	return nil
}

// fetch makes a call whose answer is one thing, and notes its ETag.
func (c *Client) fetch(ctx context.Context, q call, out any, etag *string) error {
	header, err := c.do(ctx, q, out)
	if err == nil {
		*etag = header.Get("ETag")
	}
	return err
}

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

// request is one call of the API, which may take several attempts.
type request struct {
	method, path string
	query        url.Values
	header       http.Header
	body         any        // sent as JSON, unless nil
	rebuild      func() any // builds the body of each further attempt; nil to send the same again
	stream       io.Reader  // instead of body, sent as text/csv; sent again only if it is an io.Seeker
	anonymous    bool       // needs no token
}

func get(path string, query url.Values) request {
	return request{method: http.MethodGet, path: path, query: query}
}

func post(path string, body any) request {
	return request{method: http.MethodPost, path: path, body: body}
}

// patch changes the resource at path if its version is etag; "" accepts any version.
func patch(path, etag string, body any) request {
	return request{method: http.MethodPatch, path: path, body: body}.with("If-Match", etag)
}

// with returns a copy of r with a header, unless value is "".
func (r request) with(name, value string) request {
	if value == "" {
		return r
	}
	r.header = r.header.Clone()
	if r.header == nil {
		r.header = http.Header{}
	}
	r.header.Set(name, value)
	return r
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

// do sends a request, in several attempts if need be, and reads the response into out: an io.Writer
// receives the body as it arrives, anything else is decoded from JSON, nil ignores it. do returns
// the header of the response.
func (c *Client) do(ctx context.Context, r request, out any) (http.Header, error) {
	content, err := r.content()
	if err != nil {
		return nil, err
	}
	if r.method != http.MethodGet && r.header.Get(headerKey) == "" {
		r = r.with(headerKey, rand.Text())
	}
	for attempt := 1; ; attempt++ {
		header, err := c.try(ctx, r, content, out)
		if err == nil {
			return header, nil
		}
		wait, retry := backoff(attempt, err)
		if !retry || ctx.Err() != nil || attempt == c.attempts || !content.repeatable() || c.sleep(ctx, wait) != nil {
			return nil, fmt.Errorf("%s %s: %w", r.method, r.path, err)
		}
		if r.rebuild == nil {
			continue
		}
		r.body = r.rebuild()
		if content, err = r.content(); err != nil {
			return nil, err
		}
	}
}

// try makes one attempt. If the server refuses the access token, try renews it and sends the
// request once more.
func (c *Client) try(ctx context.Context, r request, content body, out any) (http.Header, error) {
	if r.anonymous {
		return c.send(ctx, r, content, out)
	}
	access, err := c.tokens.current(ctx)
	if err != nil {
		return nil, err
	}
	header, err := c.send(ctx, r.with("Authorization", "Bearer "+access), content, out)
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
	return c.send(ctx, r.with("Authorization", "Bearer "+renewed), content, out)
}

// send sends a request once.
func (c *Client) send(ctx context.Context, r request, content body, out any) (http.Header, error) {
	reader, err := content.reader()
	if err != nil {
		return nil, err
	}
	target := c.base + r.path
	if len(r.query) > 0 {
		target += "?" + r.query.Encode()
	}
	sent, err := http.NewRequestWithContext(ctx, r.method, target, reader)
	if err != nil {
		return nil, err
	}
	for name, values := range r.header {
		sent.Header[name] = values
	}
	content.describe(sent.Header)
	sent.Header.Set("Accept-Encoding", "zstd, gzip")
	response, err := c.http.Do(sent)
	if err != nil {
		return nil, &lostError{err}
	}
	defer response.Body.Close()
	return response.Header, receive(response, out)
}

// receive reads a response into out, see do.
func receive(response *http.Response, out any) error {
	plain, err := decompressed(response)
	if err != nil {
		return err
	}
	defer plain.Close()
	if w, stream := out.(io.Writer); stream && response.StatusCode < http.StatusBadRequest {
		_, err := io.Copy(w, plain)
		return err
	}
	var text bytes.Buffer
	if _, err := text.ReadFrom(plain); err != nil {
		return &lostError{err}
	}
	switch {
	case response.StatusCode >= http.StatusBadRequest:
		return errorOf(response, text.Bytes())
	case out == nil, response.StatusCode == http.StatusNoContent, response.StatusCode == http.StatusNotModified:
		return nil
	}
	if err := json.Unmarshal(text.Bytes(), out); err != nil {
		return fmt.Errorf("the response is not what the API specifies: %w", err)
	}
	return nil
}

// fetch sends a request for a single resource and stores its ETag in etag.
func (c *Client) fetch(ctx context.Context, r request, out any, etag *string) error {
	header, err := c.do(ctx, r, out)
	if err == nil {
		*etag = header.Get("ETag")
	}
	return err
}

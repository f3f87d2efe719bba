package client

import (
	"bytes"
	"fmt"
	"io"
	"net/http"

	"github.com/go-json-experiment/json"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// content is the body of a request.
type content struct {
	bytes    []byte
	stream   io.Reader
	start    int64 // where a stream that is an io.Seeker began
	media    string
	encoding string
}

// compressFrom is the size from which a body is sent compressed; the server takes at most wireLimit compressed bytes, and at
// most ratioLimit times as many decoded.
const (
	compressFrom = 4 << 10
	wireLimit    = 1 << 20
	ratioLimit   = 100
)

func (c call) content() (content, error) {
	switch {
	case c.stream != nil:
		made := content{stream: c.stream, media: "text/csv"}
		if s, ok := c.stream.(io.Seeker); ok {
			at, err := s.Seek(0, io.SeekCurrent)
			if err != nil {
				return made, fmt.Errorf("client: %w", err)
			}
			made.start = at
		}
		return made, nil
	case c.body == nil:
		return content{}, nil
	}
	plain, err := json.Marshal(c.body)
	if err != nil {
		return content{}, fmt.Errorf("client: %w", err)
	}
	return compressed(plain)
}

// compressed makes a JSON body smaller where that helps and the server takes it.
func compressed(plain []byte) (content, error) {
	made := content{bytes: plain, media: "application/json"}
	if len(plain) < compressFrom {
		return made, nil
	}
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return made, fmt.Errorf("client: %w", err)
	}
	small := encoder.EncodeAll(plain, nil)
	if len(small) <= wireLimit && len(plain) < len(small)*ratioLimit {
		made.bytes, made.encoding = small, "zstd"
	}
	return made, nil
}

// repeatable reports whether the body can be sent again.
func (c content) repeatable() bool {
	_, seekable := c.stream.(io.Seeker)
	return c.stream == nil || seekable
}

// reader returns the body from its beginning.
func (c content) reader() (io.Reader, error) {
	switch {
	case c.stream == nil:
		return bytes.NewReader(c.bytes), nil
	case c.repeatable():
		if _, err := c.stream.(io.Seeker).Seek(c.start, io.SeekStart); err != nil {
			return nil, fmt.Errorf("client: %w", err)
		}
	}
	return io.NopCloser(c.stream), nil // closing is for whoever opened it
}

// describe sets the headers that tell what the body is.
func (c content) describe(h http.Header) {
	if c.media != "" {
		h.Set("Content-Type", c.media)
	}
	if c.encoding != "" {
		h.Set("Content-Encoding", c.encoding)
	}
}

// decoded returns the body of an answer as it was before it was compressed.
func decoded(answer *http.Response) (io.ReadCloser, error) {
	switch answer.Header.Get("Content-Encoding") {
	case "zstd":
		z, err := zstd.NewReader(answer.Body, zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, fmt.Errorf("client: %w", err)
		}
		return z.IOReadCloser(), nil
	case "gzip":
		z, err := gzip.NewReader(answer.Body)
		if err != nil {
			return nil, &lostError{err}
		}
		return z, nil
	default:
		return answer.Body, nil
	}
}

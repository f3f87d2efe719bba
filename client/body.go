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

// body is the content of a request, ready to be sent.
type body struct {
	bytes    []byte
	stream   io.Reader
	start    int64 // the position of a stream that is an io.Seeker before the first attempt
	media    string
	encoding string
}

// A body of compressFrom bytes or more is sent compressed. The server accepts at most wireLimit
// compressed bytes, and at most ratioLimit times as many decoded.
const (
	compressFrom = 4 << 10
	wireLimit    = 1 << 20
	ratioLimit   = 100
)

// content encodes the body of r.
func (r request) content() (body, error) {
	switch {
	case r.stream != nil:
		b := body{stream: r.stream, media: "text/csv"}
		if s, ok := r.stream.(io.Seeker); ok {
			at, err := s.Seek(0, io.SeekCurrent)
			if err != nil {
				return b, fmt.Errorf("client: %w", err)
			}
			b.start = at
		}
		return b, nil
	case r.body == nil:
		return body{}, nil
	}
	plain, err := json.Marshal(r.body)
	if err != nil {
		return body{}, fmt.Errorf("client: %w", err)
	}
	return compressed(plain)
}

// compressed returns a JSON body, compressed if it is large enough and the server accepts the
// result.
func compressed(plain []byte) (body, error) {
	b := body{bytes: plain, media: "application/json"}
	if len(plain) < compressFrom {
		return b, nil
	}
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return b, fmt.Errorf("client: %w", err)
	}
	small := encoder.EncodeAll(plain, nil)
	if len(small) <= wireLimit && len(plain) < len(small)*ratioLimit {
		b.bytes, b.encoding = small, "zstd"
	}
	return b, nil
}

// repeatable reports whether the body can be sent more than once.
func (b body) repeatable() bool {
	_, seekable := b.stream.(io.Seeker)
	return b.stream == nil || seekable
}

// reader returns the body from its start.
func (b body) reader() (io.Reader, error) {
	switch {
	case b.stream == nil:
		return bytes.NewReader(b.bytes), nil
	case b.repeatable():
		if _, err := b.stream.(io.Seeker).Seek(b.start, io.SeekStart); err != nil {
			return nil, fmt.Errorf("client: %w", err)
		}
	}
	return io.NopCloser(b.stream), nil // the caller who opened it closes it
}

// describe sets the headers that describe the body.
func (b body) describe(h http.Header) {
	if b.media != "" {
		h.Set("Content-Type", b.media)
	}
	if b.encoding != "" {
		h.Set("Content-Encoding", b.encoding)
	}
}

// decompressed returns the body of a response, decompressed as its header says.
func decompressed(response *http.Response) (io.ReadCloser, error) {
	switch response.Header.Get("Content-Encoding") {
	case "zstd":
		z, err := zstd.NewReader(response.Body, zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, fmt.Errorf("client: %w", err)
		}
		return z.IOReadCloser(), nil
	case "gzip":
		z, err := gzip.NewReader(response.Body)
		if err != nil {
			return nil, &lostError{err}
		}
		return z, nil
	default:
		return response.Body, nil
	}
}

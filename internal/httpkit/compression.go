package httpkit

import (
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// compressFrom is the size in bytes below which a response is not compressed.
const compressFrom = 1 << 10

// compressor compresses a response as it is written if the client accepts it, the media type
// compresses well, the handler has not encoded it already, and it is not small. Until that is known
// it sends nothing, and reset can discard the response.
type compressor struct {
	*response
	encoding string // what the client accepts: "zstd", "gzip" or ""
	pending  int    // status, until it is sent
	head     []byte // the first bytes, until they are sent
	encoder  io.WriteCloser
}

func compressed(w *response, r *http.Request) *compressor {
	return &compressor{response: w, encoding: PreferredEncoding(r.Header.Get("Accept-Encoding"))}
}

// PreferredEncoding returns the encoding to use for an Accept-Encoding header: "zstd" if it is
// accepted, else "gzip", else "". q=0 refuses an encoding; other weights are ignored.
func PreferredEncoding(accept string) string {
	if accept == "" {
		return ""
	}
	taken := map[string]bool{}
	for item := range strings.SplitSeq(accept, ",") {
		name, params, _ := strings.Cut(strings.TrimSpace(item), ";")
		q := strings.ReplaceAll(params, " ", "")
		taken[strings.ToLower(name)] = q != "q=0" && !strings.HasPrefix(q, "q=0.000")
	}
	for _, name := range []string{"zstd", "gzip"} {
		if taken[name] {
			return name
		}
	}
	return ""
}

// begun reports whether anything has been sent.
func (c *compressor) begun() bool { return c.status != 0 }

// reset discards a response of which nothing has been sent.
func (c *compressor) reset() {
	c.pending, c.head = 0, nil
	for _, name := range []string{
		"Content-Type", "Content-Encoding", "Content-Length", "Content-Disposition", "ETag", "Vary",
	} {
		c.Header().Del(name)
	}
}

// WriteHeader waits for the first bytes, which decide how they are sent.
func (c *compressor) WriteHeader(status int) {
	if status < http.StatusOK {
		c.response.WriteHeader(status)
		return
	}
	if c.pending == 0 {
		c.pending = status
	}
}

func (c *compressor) Write(p []byte) (int, error) {
	if c.begun() {
		return c.send(p)
	}
	size := len(c.head) + len(p)
	if size < compressFrom {
		c.head = append(c.head, p...)
		return len(p), nil
	}
	if err := c.start(c.worthwhile(size)); err != nil {
		return 0, err
	}
	return c.send(p)
}

func (c *compressor) send(p []byte) (int, error) {
	if c.encoder != nil && !c.mute {
		return c.encoder.Write(p)
	}
	return c.response.Write(p)
}

// worthwhile reports whether to compress a response of at least size bytes.
func (c *compressor) worthwhile(size int) bool {
	return c.encoding != "" && size >= compressFrom && c.request.Method != http.MethodHead && c.fit()
}

// fit reports whether the response is compressible and has not been encoded.
func (c *compressor) fit() bool {
	h := c.Header()
	return h.Get("Content-Encoding") == "" && compressible(h.Get("Content-Type"))
}

// start sends the headers and what has been held back.
func (c *compressor) start(compress bool) error {
	h := c.Header()
	if c.fit() {
		h.Add("Vary", "Accept-Encoding")
	}
	if compress {
		h.Set("Content-Encoding", c.encoding)
		h.Del("Content-Length")
		c.encoder = encoderFor(c.encoding, c.response)
	}
	c.response.WriteHeader(max(c.pending, http.StatusOK))
	head := c.head
	c.head = nil
	if len(head) == 0 {
		return nil
	}
	_, err := c.send(head)
	return err
}

// Flush sends what has been written so far.
func (c *compressor) Flush() {
	if !c.begun() && c.start(c.worthwhile(len(c.head))) != nil {
		return
	}
	if f, ok := c.encoder.(interface{ Flush() error }); ok {
		_ = f.Flush()
	}
	_ = http.NewResponseController(c.response).Flush()
}

// Close ends the response. It has no error: that the client disconnected, the handler has seen.
func (c *compressor) Close() {
	if !c.begun() && (c.pending != 0 || len(c.head) > 0) {
		_ = c.start(false)
	}
	if c.encoder != nil && !c.mute {
		_ = c.encoder.Close()
	}
}

func encoderFor(encoding string, w io.Writer) io.WriteCloser {
	if encoding == "zstd" {
		// One goroutine and a small window: responses are short, and there are many at a time.
		z, err := zstd.NewWriter(w,
			zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(128<<10))
		if err == nil {
			return z
		}
	}
	return gzip.NewWriter(w)
}

func compressible(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return false
	}
	return strings.HasPrefix(media, "text/") || strings.HasSuffix(media, "json") || strings.HasSuffix(media, "yaml")
}

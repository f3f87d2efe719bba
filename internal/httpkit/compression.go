package httpkit

import (
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// compressFrom is the size below which an answer is not worth compressing.
const compressFrom = 1 << 10

// compressor compresses an answer as it is written, if the client asked for it, the media type gains by it, the handler has
// not done it already, and the answer is not a small one. Until that is known nothing has been sent, and reset can take it back.
type compressor struct {
	*response
	encoding string // what the client takes: "zstd", "gzip" or ""
	pending  int    // status, until it is sent
	head     []byte // the first bytes, until they are sent
	encoder  io.WriteCloser
}

func compressed(w *response, r *http.Request) *compressor {
	return &compressor{response: w, encoding: PreferredEncoding(r.Header.Get("Accept-Encoding"))}
}

// PreferredEncoding picks zstd before gzip. An explicit q=0 refuses; finer weights make no difference. "" means that none is taken.
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

// begun reports whether the client has been sent anything.
func (c *compressor) begun() bool { return c.status != 0 }

// reset forgets an answer that has not begun.
func (c *compressor) reset() {
	c.pending, c.head = 0, nil
	for _, name := range []string{"Content-Type", "Content-Encoding", "Content-Length", "Content-Disposition", "ETag", "Vary"} {
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

// worthwhile reports whether an answer that begins with size bytes should be compressed.
func (c *compressor) worthwhile(size int) bool {
	return c.encoding != "" && size >= compressFrom && c.request.Method != http.MethodHead && c.fit()
}

// fit reports whether the answer is of a kind that gains by it and has not been encoded.
func (c *compressor) fit() bool {
	h := c.Header()
	return h.Get("Content-Encoding") == "" && compressible(h.Get("Content-Type"))
}

// start sends the header and what has been held back.
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

// Close ends the answer. Its error would be the client's going away, which the handler has seen already.
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
		// One goroutine and a small window: answers are short, and there are many at once.
		z, err := zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(128<<10))
		if err == nil {
			return z
		}
	}
	return gzip.NewWriter(w)
}

func compressible(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	return err == nil && (strings.HasPrefix(media, "text/") || strings.HasSuffix(media, "json") || strings.HasSuffix(media, "yaml"))
}

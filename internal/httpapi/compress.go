package httpapi

import (
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// compressFrom is the size of a first write below which an answer is not worth compressing.
const compressFrom = 1 << 10

// compressor compresses an answer as it is written, if the client asked for it, the media type gains by it, the handler has
// not done it already, and the answer is not a small one.
type compressor struct {
	*response
	encoding string // what the client takes: "zstd", "gzip" or ""
	started  bool   // the header has been decided on
	pending  int    // status to be sent with the first write
	encoder  io.WriteCloser
}

func (a *API) compressed(w *response, r *http.Request) *compressor {
	return &compressor{response: w, encoding: preferred(r.Header.Get("Accept-Encoding"))}
}

// preferred picks zstd before gzip. An explicit q=0 refuses; finer weights make no difference to anyone.
func preferred(accept string) string {
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

func (c *compressor) begun() bool { return c.pending != 0 || c.status != 0 }

// WriteHeader waits for the first write, whose size decides; answers without a body are sent by Close.
func (c *compressor) WriteHeader(status int) {
	if status < http.StatusOK {
		c.response.WriteHeader(status)
		return
	}
	if !c.begun() {
		c.pending = status
	}
}

func (c *compressor) Write(p []byte) (int, error) {
	if !c.started {
		c.start(len(p))
	}
	if c.encoder != nil && !c.mute {
		return c.encoder.Write(p)
	}
	return c.response.Write(p)
}

func (c *compressor) start(first int) {
	c.started = true
	h := c.Header()
	if h.Get("Content-Encoding") == "" && compressible(h.Get("Content-Type")) {
		h.Add("Vary", "Accept-Encoding")
		if c.encoding != "" && first >= compressFrom && c.request.Method != http.MethodHead {
			h.Set("Content-Encoding", c.encoding)
			h.Del("Content-Length")
			c.encoder = encoderFor(c.encoding, c.response)
		}
	}
	if c.pending != 0 {
		c.response.WriteHeader(c.pending)
	}
}

// Flush sends what has been written so far.
func (c *compressor) Flush() {
	if !c.started {
		c.start(0)
	}
	if f, ok := c.encoder.(interface{ Flush() error }); ok {
		_ = f.Flush()
	}
	_ = http.NewResponseController(c.response).Flush()
}

// Close ends the answer. Its error would be the client's going away, which the handler has seen already.
func (c *compressor) Close() {
	if !c.started && c.pending != 0 {
		c.start(0)
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

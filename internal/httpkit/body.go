package httpkit

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"firemode"
)

// Limits of an encoded body, against bodies that are small on the wire and huge in memory.
const (
	encodedLimit = 1 << 20 // bytes on the wire
	ratioLimit   = 100     // decoded to encoded
	ratioFrom    = 64 << 10
)

// takeBody makes the body ready for the handler: on a buffered route it is read, decoded, checked and left in x; on a streamed
// one the request is given a reader that refuses what is too long or has stopped coming.
func (s *Server) takeBody(w http.ResponseWriter, r *http.Request, x *State) error {
	spec := x.route.Body
	if spec.Media == "" {
		return nil
	}
	if err := rightMedia(r, x); err != nil {
		return err
	}
	body := &patient{x: x, body: r.Body, control: http.NewResponseController(w), pause: s.limits.Pause, now: s.now, header: w.Header()}
	x.atEnd(body.rest)
	memory := &share{server: s}
	x.atEnd(memory.free)
	if spec.Streamed {
		r.Body = &limited{body: memory.counted(body), left: spec.Limit, limit: spec.Limit}
		if r.ContentLength > spec.Limit {
			return tooLarge(spec.Limit)
		}
		return memory.hold(0)
	}
	plain, err := readAll(r, body, spec.Limit, memory)
	if err != nil {
		return err
	}
	body.rest()
	if len(bytes.TrimSpace(plain)) == 0 {
		return firemode.Malformed("a JSON body is needed")
	}
	x.Body = plain
	r.Body = io.NopCloser(bytes.NewReader(plain))
	if x.route.schema == nil {
		return nil
	}
	return s.checker.check(x.route.schema, plain)
}

// rightMedia refuses a body of another media type or charset than the route takes. One that is not named is taken at its word.
func rightMedia(r *http.Request, x *State) error {
	spec := x.route.Body
	if r.Header.Get("Content-Type") == "" {
		r.Header.Set("Content-Type", spec.Media)
	}
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	charset := strings.ToLower(params["charset"])
	x.BodyLines = media == MediaLines && x.route.Lines
	if err != nil || (media != spec.Media && !x.BodyLines) || (charset != "" && charset != "utf-8" && spec.Media == MediaJSON) {
		return Failure(firemode.CodeUnsupportedMedia, "this path takes Content-Type: %s", x.route.takes())
	}
	switch r.Header.Get("Content-Encoding") {
	case "", "identity":
		return nil
	case "gzip", "zstd":
		if !spec.Streamed {
			return nil
		}
	}
	return Failure(firemode.CodeUnsupportedMedia, "this Content-Encoding is not taken here")
}

func tooLarge(limit int64) error {
	return firemode.TooLarge("the body is over the limit of %d bytes", limit)
}

// readAll reads and decodes a body of at most limit bytes, having memory for what it takes. One whose length is known is refused before
// any of it is read.
func readAll(r *http.Request, body io.Reader, limit int64, memory *share) ([]byte, error) {
	encoding := r.Header.Get("Content-Encoding")
	plain := encoding == "" || encoding == "identity"
	wire := limit
	if !plain {
		wire = min(limit, encodedLimit)
	}
	if r.ContentLength > wire {
		return nil, tooLarge(wire)
	}
	if err := memory.hold(max(0, r.ContentLength)); err != nil {
		return nil, err
	}
	var buf bytes.Buffer
	if r.ContentLength > 0 {
		buf.Grow(int(min(r.ContentLength, ratioFrom)) + bytes.MinRead)
	}
	n, err := buf.ReadFrom(io.LimitReader(memory.counted(body), wire+1))
	switch {
	case n > wire:
		return nil, tooLarge(wire)
	case err != nil:
		return nil, err
	case plain:
		return buf.Bytes(), nil
	}
	return decoded(encoding, buf.Bytes(), limit, memory)
}

func decoded(encoding string, wire []byte, limit int64, memory *share) ([]byte, error) {
	most := min(limit, max(int64(len(wire))*ratioLimit, ratioFrom))
	var plain []byte
	var err error
	if encoding == "zstd" {
		plain, err = unzstd(wire, limit, most, memory)
	} else {
		plain, err = gunzip(wire, most, memory)
	}
	switch {
	case firemode.CodeOf(err) == firemode.CodeUnavailable:
		return nil, err
	case errors.Is(err, zstd.ErrDecoderSizeExceeded), errors.Is(err, zstd.ErrWindowSizeExceeded), int64(len(plain)) > most:
		return nil, firemode.TooLarge("the body is over the limit of %d bytes, or more than %d times its size on the wire, once decoded", limit, ratioLimit)
	case err != nil:
		return nil, firemode.Malformed("the body is not %s that can be read", encoding)
	}
	return plain, nil
}

func gunzip(wire []byte, most int64, memory *share) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(wire))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(memory.counted(z), most+1))
}

func unzstd(wire []byte, limit, most int64, memory *share) ([]byte, error) {
	z, err := zstd.NewReader(bytes.NewReader(wire), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(uint64(limit)), zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, err
	}
	defer z.Close()
	return io.ReadAll(io.LimitReader(memory.counted(z), most+1))
}

// patient reads a body for as long as it keeps coming: the deadline moves with every read, so that a slow link may take its
// time and a dead one may not.
type patient struct {
	x       *State
	body    io.Reader
	control *http.ResponseController
	pause   time.Duration
	now     func() time.Time
	header  http.Header
}

func (p *patient) Read(b []byte) (int, error) {
	// Not supported means a recorder in a test, where nothing can stop coming.
	_ = p.control.SetReadDeadline(p.now().Add(p.pause))
	n, err := p.body.Read(b)
	switch {
	case err == nil:
	case errors.Is(err, io.EOF):
		p.x.received = true
		p.rest()
	case errors.Is(err, os.ErrDeadlineExceeded):
		p.header.Set("Connection", "close")
		err = Failure(firemode.CodeBodyTimeout, "the body stopped coming for %s", p.pause)
	default:
		err = &firemode.Error{Code: firemode.CodeMalformed, Message: "the body cannot be read", Err: err}
	}
	return n, err
}

// rest takes the deadline away: left standing it would end the handler when it passes.
func (p *patient) rest() { _ = p.control.SetReadDeadline(time.Time{}) }

// limited is a streamed body that refuses to be longer than its limit.
type limited struct {
	body        io.Reader
	left, limit int64
}

func (l *limited) Read(b []byte) (int, error) {
	if int64(len(b)) > l.left+1 {
		b = b[:l.left+1]
	}
	n, err := l.body.Read(b)
	if l.left -= int64(n); l.left < 0 {
		return 0, tooLarge(l.limit)
	}
	return n, err
}

func (l *limited) Close() error { return nil }

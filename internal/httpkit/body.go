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
	encodedLimit = 1 << 20  // bytes on the wire
	maxRatio     = 100      // decoded bytes per encoded byte
	ratioFloor   = 64 << 10 // decoded bytes that any body may have, whatever its ratio
)

// takeBody makes the body ready for the handler. On a buffered route it reads, decodes and checks the
// body, and leaves it in x. On a streamed route it gives the request a reader that fails if the body
// is too long or stops arriving.
func (s *Server) takeBody(w http.ResponseWriter, r *http.Request, x *State) error {
	spec := x.route.Body
	if spec.Media == "" {
		return nil
	}
	if err := checkMedia(r, x); err != nil {
		return err
	}
	body := &idleTimeoutReader{
		x: x, body: r.Body, control: http.NewResponseController(w), pause: s.pause, now: s.now, header: w.Header(),
	}
	x.atEnd(body.clearDeadline)
	quota := &memoryQuota{load: &s.load}
	x.atEnd(quota.release)
	if spec.Streamed {
		r.Body = &limitReader{body: quota.counting(body), left: spec.Limit, limit: spec.Limit}
		if r.ContentLength > spec.Limit {
			return tooLarge(spec.Limit)
		}
		return quota.reserve(0)
	}
	plain, err := readAll(r, body, spec.Limit, quota)
	if err != nil {
		return err
	}
	body.clearDeadline()
	if len(bytes.TrimSpace(plain)) == 0 {
		return firemode.Malformed("a JSON body is needed")
	}
	x.Body = plain
	r.Body = io.NopCloser(bytes.NewReader(plain))
	if x.route.schema == nil {
		return nil
	}
	return s.schemas.check(x.route.schema, plain)
}

// checkMedia refuses a body whose media type, charset or encoding the route does not accept. A body
// without a media type is taken to have the right one.
func checkMedia(r *http.Request, x *State) error {
	spec := x.route.Body
	if r.Header.Get("Content-Type") == "" {
		r.Header.Set("Content-Type", spec.Media)
	}
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	charset := strings.ToLower(params["charset"])
	x.BodyLines = media == MediaLines && x.route.Lines
	wrongMedia := err != nil || media != spec.Media && !x.BodyLines
	if wrongMedia || charset != "" && charset != "utf-8" && spec.Media == MediaJSON {
		return Failure(firemode.CodeUnsupportedMedia, "this path takes Content-Type: %s", x.route.requestMedia())
	}
	switch r.Header.Get("Content-Encoding") {
	case "", "identity":
		return nil
	case "gzip", "zstd":
		if !spec.Streamed {
			return nil
		}
	}
	return Failure(firemode.CodeUnsupportedMedia, "this path does not accept this Content-Encoding")
}

func tooLarge(limit int64) error {
	return firemode.TooLarge("the body is over the limit of %d bytes", limit)
}

// readAll reads and decodes a body of at most limit bytes within a memory quota. A body that declares
// a greater length is refused before any of it is read.
func readAll(r *http.Request, body io.Reader, limit int64, quota *memoryQuota) ([]byte, error) {
	encoding := r.Header.Get("Content-Encoding")
	plain := encoding == "" || encoding == "identity"
	wire := limit
	if !plain {
		wire = min(limit, encodedLimit)
	}
	if r.ContentLength > wire {
		return nil, tooLarge(wire)
	}
	if err := quota.reserve(max(0, r.ContentLength)); err != nil {
		return nil, err
	}
	var buf bytes.Buffer
	if r.ContentLength > 0 {
		buf.Grow(int(min(r.ContentLength, ratioFloor)) + bytes.MinRead)
	}
	n, err := buf.ReadFrom(io.LimitReader(quota.counting(body), wire+1))
	switch {
	case n > wire:
		return nil, tooLarge(wire)
	case err != nil:
		return nil, err
	case plain:
		return buf.Bytes(), nil
	}
	return decode(encoding, buf.Bytes(), limit, quota)
}

// decode decompresses a body of at most limit bytes, and at most maxRatio times its size on the wire.
func decode(encoding string, wire []byte, limit int64, quota *memoryQuota) ([]byte, error) {
	most := min(limit, max(int64(len(wire))*maxRatio, ratioFloor))
	var plain []byte
	var err error
	if encoding == "zstd" {
		plain, err = unzstd(wire, limit, most, quota)
	} else {
		plain, err = gunzip(wire, most, quota)
	}
	overLimit := errors.Is(err, zstd.ErrDecoderSizeExceeded) || errors.Is(err, zstd.ErrWindowSizeExceeded)
	switch {
	case firemode.CodeOf(err) == firemode.CodeUnavailable:
		return nil, err
	case overLimit, int64(len(plain)) > most:
		return nil, firemode.TooLarge(
			"once decoded, the body is over the limit of %d bytes, or more than %d times its size on the wire", limit, maxRatio)
	case err != nil:
		return nil, firemode.Malformed("the body cannot be decoded as %s", encoding)
	}
	return plain, nil
}

func gunzip(wire []byte, most int64, quota *memoryQuota) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(wire))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(quota.counting(z), most+1))
}

func unzstd(wire []byte, limit, most int64, quota *memoryQuota) ([]byte, error) {
	z, err := zstd.NewReader(bytes.NewReader(wire),
		zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(uint64(limit)), zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, err
	}
	defer z.Close()
	return io.ReadAll(io.LimitReader(quota.counting(z), most+1))
}

// idleTimeoutReader reads a body for as long as it keeps arriving. Each read moves the deadline, so a
// slow connection may take its time and a dead one gets 408.
type idleTimeoutReader struct {
	x       *State
	body    io.Reader
	control *http.ResponseController
	pause   time.Duration
	now     func() time.Time
	header  http.Header
}

func (i *idleTimeoutReader) Read(b []byte) (int, error) {
	// The recorders of tests support no deadline, which is an error here.
	_ = i.control.SetReadDeadline(i.now().Add(i.pause))
	n, err := i.body.Read(b)
	switch {
	case err == nil:
	case errors.Is(err, io.EOF):
		i.x.received = true
		i.clearDeadline()
	case errors.Is(err, os.ErrDeadlineExceeded):
		i.header.Set("Connection", "close")
		err = Failure(firemode.CodeBodyTimeout, "no bytes of the body arrived for %s", i.pause)
	default:
		err = &firemode.Error{Code: firemode.CodeMalformed, Message: "the body cannot be read", Err: err}
	}
	return n, err
}

// clearDeadline removes the deadline. If it stayed, it would end the handler when it passes.
func (i *idleTimeoutReader) clearDeadline() { _ = i.control.SetReadDeadline(time.Time{}) }

// limitReader is a streamed body that fails when it exceeds its limit.
type limitReader struct {
	body        io.Reader
	left, limit int64
}

func (l *limitReader) Read(b []byte) (int, error) {
	if int64(len(b)) > l.left+1 {
		b = b[:l.left+1]
	}
	n, err := l.body.Read(b)
	if l.left -= int64(n); l.left < 0 {
		return 0, tooLarge(l.limit)
	}
	return n, err
}

func (l *limitReader) Close() error { return nil }

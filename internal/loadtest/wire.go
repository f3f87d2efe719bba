package loadtest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// wire is one HTTP/1.1 connection, opened when it is first needed and again after it was closed. Unlike http.Transport it needs no
// goroutines, and its requests are bytes that somebody has prepared: the generator shares the machine with what it measures.
type wire struct {
	target  target
	timeout time.Duration
	now     func() time.Time

	conn net.Conn
	in   *bufio.Reader
	body bytes.Buffer
}

// answer is what came back. Its body is valid until the next request.
type answer struct {
	status int
	body   []byte
	size   int64 // of the body on the wire, as it was compressed
}

// maxBody is how much of an answer is kept.
const maxBody = 1 << 20

var errTooLong = errors.New("the answer is too long to be read")

// exchange sends a request and reads its answer whole. keep is whether the body is wanted, or only its size. After an error nobody knows what
// became of the request.
func (w *wire) exchange(ctx context.Context, request []byte, keep bool) (a answer, err error) {
	if err := w.open(ctx); err != nil {
		return a, err
	}
	defer func() {
		if err != nil {
			w.close()
		}
	}()
	if err := w.conn.SetDeadline(w.now().Add(w.timeout)); err != nil {
		return a, err
	}
	if _, err := w.conn.Write(request); err != nil {
		return a, err
	}
	response, err := http.ReadResponse(w.in, nil)
	if err != nil {
		return a, fmt.Errorf("no answer: %w", err)
	}
	a.status = response.StatusCode
	a.size, err = w.drain(response.Body, keep || a.status != http.StatusOK)
	a.body = w.body.Bytes()
	if err == nil && response.Close {
		w.close()
	}
	return a, err
}

// drain reads a body to its end and returns its size.
func (w *wire) drain(body io.ReadCloser, keep bool) (size int64, err error) {
	defer body.Close()
	w.body.Reset()
	if !keep {
		return io.Copy(io.Discard, body)
	}
	size, err = w.body.ReadFrom(io.LimitReader(body, maxBody))
	if err == nil && size == maxBody {
		err = errTooLong
	}
	return size, err
}

func (w *wire) open(ctx context.Context) error {
	if w.conn != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, w.timeout)
	defer cancel()
	conn, err := w.target.dial(ctx)
	if err != nil {
		return err
	}
	w.conn = conn
	if w.in == nil {
		w.in = bufio.NewReader(nil)
	}
	w.in.Reset(conn)
	return nil
}

func (w *wire) close() {
	if w.conn != nil {
		w.conn.Close()
		w.conn = nil
	}
}

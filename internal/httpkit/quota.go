package httpkit

import (
	"io"
	"sync/atomic"
	"time"
)

const (
	// bodyBase is what a request with a body takes beside it, about: its goroutine, buffers and headers. So the number of requests that wait
	// is bounded too.
	bodyBase = 16 << 10
)

// bodies counts the bytes of the bodies that are in memory.
type bodies struct {
	limit int64
	held  atomic.Int64
}

// take adds n bytes unless that would pass the limit.
func (b *bodies) take(n int64) bool {
	for {
		held := b.held.Load()
		if held+n > b.limit {
			return false
		}
		if b.held.CompareAndSwap(held, held+n) {
			return true
		}
	}
}

// share is what one request has of the memory for bodies. One goroutine uses it.
type share struct {
	server *Server
	held   int64
	read   int64 // bytes that counted readers have given
}

// hold makes the share large enough for n bytes. It is CodeUnavailable if there is no memory for them now.
func (s *share) hold(n int64) error {
	more := bodyBase + n - s.held
	if more <= 0 {
		return nil
	}
	if !s.server.bodies.take(more) {
		return s.server.shed(shedMemory, time.Second)
	}
	s.held += more
	return nil
}

// counted reads from r and holds what it gives, wire and decoded bytes alike.
func (s *share) counted(r io.Reader) io.Reader { return &countedReader{s, r} }

// free gives everything back.
func (s *share) free() {
	s.server.bodies.held.Add(-s.held)
	s.held = 0
}

type countedReader struct {
	share *share
	body  io.Reader
}

func (c *countedReader) Read(p []byte) (int, error) {
	n, err := c.body.Read(p)
	c.share.read += int64(n)
	if full := c.share.hold(c.share.read); full != nil {
		return 0, full
	}
	return n, err
}

package httpkit

import (
	"io"
	"sync/atomic"
	"time"
)

// requestOverhead is roughly what a request with a body takes beside it: its goroutine, buffers and
// headers. Counting it limits the number of waiting requests too.
const requestOverhead = 16 << 10

// bodyMemory counts the bytes of all request bodies in memory.
type bodyMemory struct {
	limit int64
	used  atomic.Int64
}

// reserve adds n bytes. It returns false, and adds nothing, if that would exceed the limit.
func (m *bodyMemory) reserve(n int64) bool {
	for {
		used := m.used.Load()
		if used+n > m.limit {
			return false
		}
		if m.used.CompareAndSwap(used, used+n) {
			return true
		}
	}
}

// memoryQuota is the share of body memory that one request has reserved. One goroutine uses it.
type memoryQuota struct {
	load     *loadShedder
	reserved int64
	read     int64 // bytes that counting readers have returned
}

// reserve raises the quota to n bytes. It fails with CodeUnavailable if there is not enough memory.
func (q *memoryQuota) reserve(n int64) error {
	more := requestOverhead + n - q.reserved
	if more <= 0 {
		return nil
	}
	if !q.load.memory.reserve(more) {
		return q.load.shed(reasonMemory, time.Second)
	}
	q.reserved += more
	return nil
}

// counting returns a reader of r that reserves what it reads. Wire bytes and decoded bytes both
// count.
func (q *memoryQuota) counting(r io.Reader) io.Reader { return &countingReader{q, r} }

// release returns everything.
func (q *memoryQuota) release() {
	q.load.memory.used.Add(-q.reserved)
	q.reserved = 0
}

type countingReader struct {
	quota *memoryQuota
	body  io.Reader
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.body.Read(p)
	c.quota.read += int64(n)
	if full := c.quota.reserve(c.quota.read); full != nil {
		return 0, full
	}
	return n, err
}

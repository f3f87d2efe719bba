package groupcommit

import (
	"sync"
	"time"
)

// WaitQueue records who waits for their turn, in order of arrival, to measure how long a newcomer
// must expect to wait. Load is shed by that time and not by a count, because it means the same for
// every queue, however fast it is served. The queue itself may be anything: a channel, a pool or a
// lock. A WaitQueue is safe for concurrent use. A nil WaitQueue keeps no record and is always
// empty.
type WaitQueue struct {
	now func() time.Time

	mu          sync.Mutex
	first, last *Ticket
	waiting     int
}

// Ticket is the place of one waiter in a WaitQueue. A nil Ticket is none.
type Ticket struct {
	queue      *WaitQueue
	since      time.Time
	prev, next *Ticket
}

// NewWaitQueue returns an empty queue that measures with the clock now.
func NewWaitQueue(now func() time.Time) *WaitQueue { return &WaitQueue{now: now} }

// Join adds a waiter at the end of the queue. Every Ticket must be given back with Leave.
func (q *WaitQueue) Join() *Ticket {
	if q == nil {
		return nil
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	t := &Ticket{queue: q, since: q.now(), prev: q.last}
	if q.last == nil {
		q.first = t
	} else {
		q.last.next = t
	}
	q.last = t
	q.waiting++
	return t
}

// Leave takes the waiter out of the queue: it is being served, or has given up. A second call does
// nothing.
func (t *Ticket) Leave() {
	if t == nil {
		return
	}
	q := t.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	if t.prev == nil && q.first != t {
		return // it has left before
	}
	if t.prev == nil {
		q.first = t.next
	} else {
		t.prev.next = t.next
	}
	if t.next == nil {
		q.last = t.prev
	} else {
		t.next.prev = t.prev
	}
	t.prev, t.next = nil, nil
	q.waiting--
}

// Len returns how many wait.
func (q *WaitQueue) Len() int {
	if q == nil {
		return 0
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.waiting
}

// LongestWait returns how long the first waiter has been waiting, 0 if the queue is empty.
func (q *WaitQueue) LongestWait() time.Duration {
	if q == nil {
		return 0
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.first == nil {
		return 0
	}
	return q.now().Sub(q.first.since)
}

package groupcommit

// This file measures a wait queue in time: how long its first waiter has been waiting. Load is shed by that
// time and not by a count, because it is what a newcomer must expect, whatever the queue is of and however
// fast it is served. The queue itself is somebody else's: a channel, a pool or a lock.

import (
	"sync"
	"time"
)

// Line is who waits in a queue, in order of arrival. It is safe for concurrent use. A nil Line keeps no record: it is never deep.
type Line struct {
	now func() time.Time

	mu          sync.Mutex
	first, last *Place
	waiting     int
}

// Place is that of one who waits. A nil Place is none.
type Place struct {
	line       *Line
	since      time.Time
	prev, next *Place
}

// NewLine returns an empty line that goes by the clock now.
func NewLine(now func() time.Time) *Line { return &Line{now: now} }

// Join takes a place at the end of the line.
func (l *Line) Join() *Place {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	p := &Place{line: l, since: l.now(), prev: l.last}
	if l.last == nil {
		l.first = p
	} else {
		l.last.next = p
	}
	l.last = p
	l.waiting++
	return p
}

// Leave gives the place up: its holder is being served, or waits no longer. It may be called again.
func (p *Place) Leave() {
	if p == nil {
		return
	}
	l := p.line
	l.mu.Lock()
	defer l.mu.Unlock()
	if p.prev == nil && l.first != p {
		return // it has been left
	}
	if p.prev == nil {
		l.first = p.next
	} else {
		p.prev.next = p.next
	}
	if p.next == nil {
		l.last = p.prev
	} else {
		p.next.prev = p.prev
	}
	p.prev, p.next = nil, nil
	l.waiting--
}

// Waiting is how many have a place.
func (l *Line) Waiting() int {
	if l == nil {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.waiting
}

// Depth is how long the first of the line has been waiting, 0 when nobody is.
func (l *Line) Depth() time.Duration {
	if l == nil {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.first == nil {
		return 0
	}
	return l.now().Sub(l.first.since)
}

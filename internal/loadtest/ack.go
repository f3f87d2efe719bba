package loadtest

import (
	"sync"
	"time"
)

// ack is one change that the server has acknowledged.
type ack struct {
	user   int32
	number int64
	at     time.Time
}

// acks collects what was acknowledged. Its methods may be called at once.
type acks struct {
	mu   sync.Mutex
	list []ack
}

func (a *acks) add(one ack) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.list = append(a.list, one)
}

func (a *acks) all() []ack {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.list
}

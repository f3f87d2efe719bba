package groupcommit

import (
	"sync"
	"time"
)

// restartGrace is how long callers wait for the next worker after one has died.
const restartGrace = time.Second

// Liveness tells callers that wait for a worker whether there is one. A worker that restarts within
// a second counts as never gone. It is safe for concurrent use.
type Liveness struct {
	mu     sync.Mutex
	down   chan struct{} // closed while there is no worker
	deaths int           // so far
	up     bool
}

// NewLiveness returns the Liveness of a worker that is about to start.
func NewLiveness() *Liveness { return &Liveness{down: make(chan struct{})} }

// Down returns a channel that is closed once there is no worker.
func (l *Liveness) Down() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.down
}

// Started records that the worker runs.
func (l *Liveness) Started() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.up = true
	select {
	case <-l.down:
		l.down = make(chan struct{})
	default:
	}
}

// Died records that the worker has died. Unless another one starts within a second, Down is closed
// and then gaveUp is called; it may be nil.
func (l *Liveness) Died(gaveUp func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.up = false
	l.deaths++
	death := l.deaths
	time.AfterFunc(restartGrace, func() {
		if l.giveUp(death) && gaveUp != nil {
			gaveUp()
		}
	})
}

func (l *Liveness) giveUp(death int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.up || l.deaths != death {
		return false
	}
	close(l.down)
	return true
}

package groupcommit

import (
	"sync"
	"time"
)

// patience is how long those who wait for a worker that died go on waiting for the next one.
const patience = time.Second

// Presence tells those who wait for a worker whether there is one. A worker that is back within a second was never away.
type Presence struct {
	mu     sync.Mutex
	gone   chan struct{} // closed while there is none
	deaths int           // so far
	here   bool
}

// NewPresence is that of a worker that is about to arrive.
func NewPresence() *Presence { return &Presence{gone: make(chan struct{})} }

// Gone returns a channel that is closed when there is no worker.
func (p *Presence) Gone() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.gone
}

// Arrive tells that there is a worker from now on.
func (p *Presence) Arrive() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.here = true
	select {
	case <-p.gone:
		p.gone = make(chan struct{})
	default:
	}
}

// Leave tells that the worker died. given is called when it has been given up, unless another one arrives before; it may be nil.
func (p *Presence) Leave(given func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.here = false
	p.deaths++
	death := p.deaths
	time.AfterFunc(patience, func() {
		if p.giveUp(death) && given != nil {
			given()
		}
	})
}

func (p *Presence) giveUp(death int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.here || p.deaths != death {
		return false
	}
	close(p.gone)
	return true
}

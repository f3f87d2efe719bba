package httpkittest

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Observations keeps what a server reports to its metrics. It is safe for concurrent use.
type Observations struct {
	mu   sync.Mutex
	all  []string
	shed []string
	took []time.Duration
}

// ObserveRequest keeps the request as "METHOD endpoint status".
func (o *Observations) ObserveRequest(_ context.Context, method, endpoint string, status int, took time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.took = append(o.took, took)
	o.all = append(o.all, fmt.Sprintf("%s %s %d", method, endpoint, status))
}

// RequestShed keeps the reason.
func (o *Observations) RequestShed(reason string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.shed = append(o.shed, reason)
}

// Replayed keeps "replayed" among the requests.
func (o *Observations) Replayed() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.all = append(o.all, "replayed")
}

// Reset forgets everything.
func (o *Observations) Reset() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.all, o.shed, o.took = nil, nil, nil
}

// All returns the requests in the order in which they were answered.
func (o *Observations) All() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.all)
}

// Shed returns the reasons of the requests that were refused because of load.
func (o *Observations) Shed() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.shed)
}

// Took returns how long each request took.
func (o *Observations) Took() []time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.took)
}

// Logs collects what a server logs. It is safe for concurrent use.
type Logs struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write adds p.
func (l *Logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String returns everything that was logged.
func (l *Logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

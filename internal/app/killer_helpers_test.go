package app

import (
	"context"
	"errors"
	"net"
	"runtime"
	"sync"
	"time"

	"firemode/internal/store"
	"firemode/internal/supervisor"
)

// killer kills services of a node in this process, on the goroutines that run them and where they
// work.
type killer struct {
	mu     sync.Mutex
	target string        // service that dies when it next works, and at each start, until release
	killed chan struct{} // closed when it dies
	wake   map[string]context.CancelFunc
}

type serviceName struct{}

// order makes the service die when it next works. It wakes services that only work periodically.
func (k *killer) order(service string) (killed <-chan struct{}) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.target, k.killed = service, make(chan struct{})
	switch service {
	case serviceJanitor, serviceWatch, serviceBacklog:
		k.wake[service]()
	}
	return k.killed
}

func (k *killer) release() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.target = ""
}

// hits reports whether the service must die here.
func (k *killer) hits(service string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if service == "" || service != k.target {
		return false
	}
	select {
	case <-k.killed:
	default:
		close(k.killed)
	}
	return true
}

func (k *killer) hooks() hooks {
	return hooks{
		service:  k.watched,
		backoff:  supervisor.Backoff{First: 50 * time.Millisecond, Max: 400 * time.Millisecond, Steady: time.Minute},
		store:    func(s store.Database) store.Database { return &deadly{s, k} },
		listener: func(service string, l net.Listener) net.Listener { return &deadlyListener{l, service, k} },
	}
}

// watched returns s with a context that names it, and that wakes it.
func (k *killer) watched(s supervisor.Service) supervisor.Service {
	run := s.Run
	s.Run = func(ctx context.Context) error {
		if k.hits(s.Name) {
			return errors.New("killed by a test at its start")
		}
		inner, wake := context.WithCancel(context.WithValue(ctx, serviceName{}, s.Name))
		defer wake()
		k.mu.Lock()
		k.wake[s.Name] = wake
		k.mu.Unlock()
		err := run(inner)
		if ctx.Err() == nil && k.hits(s.Name) {
			panic("killed by a test")
		}
		return err
	}
	return s
}

// deadly is a store whose calls end the target.
type deadly struct {
	store.Database
	killer *killer
}

func (d *deadly) View(ctx context.Context, fn func(store.ReadTx) error) error {
	d.strike(ctx)
	return d.Database.View(ctx, fn)
}

func (d *deadly) Update(ctx context.Context, fn func(store.Tx) error) error {
	d.strike(ctx)
	return d.Database.Update(ctx, func(tx store.Tx) error {
		if d.killer.hits(serviceWriter) { // fn runs on the goroutine of the writer
			runtime.Goexit()
		}
		return fn(tx)
	})
}

// strike ends the goroutine of a writer, because a group commit recovers panics, and panics in
// other goroutines.
func (d *deadly) strike(ctx context.Context) {
	name, _ := ctx.Value(serviceName{}).(string)
	if !d.killer.hits(name) {
		return
	}
	switch name {
	case serviceResults, serviceClassifications, serviceBundles:
		runtime.Goexit()
	}
	panic("killed by a test")
}

type deadlyListener struct {
	net.Listener
	service string
	killer  *killer
}

func (l *deadlyListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err == nil && l.killer.hits(l.service) {
		c.Close()
		panic("killed by a test")
	}
	return c, err
}

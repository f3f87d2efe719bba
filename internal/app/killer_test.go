package app

import (
	"context"
	"errors"
	"net"
	"runtime"
	"sync"

	"firemode/internal/store"
	"firemode/internal/supervisor"
)

// assassin kills services of a program that runs in this process, on the goroutines that run them
// and where they do their work.
type assassin struct {
	mu     sync.Mutex
	wanted string        // the service that dies when it next does something, and at each start, until it is released
	killed chan struct{} // closed by its death
	wake   map[string]context.CancelFunc
}

type serviceName struct{}

func (a *assassin) order(service string) (killed <-chan struct{}) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.wanted, a.killed = service, make(chan struct{})
	switch service {
	case serviceJanitor, serviceWatch, serviceBacklog: // which do something now and then
		a.wake[service]()
	}
	return a.killed
}

func (a *assassin) release() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.wanted = ""
}

// meets reports whether the service is to die here.
func (a *assassin) meets(service string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if service == "" || service != a.wanted {
		return false
	}
	select {
	case <-a.killed:
	default:
		close(a.killed)
	}
	return true
}

func (a *assassin) hooks() hooks {
	return hooks{
		service:  a.watched,
		store:    func(s store.Database) store.Database { return &deadly{s, a} },
		listener: func(service string, l net.Listener) net.Listener { return &deadlyListener{l, service, a} },
	}
}

func (a *assassin) watched(s supervisor.Service) supervisor.Service {
	run := s.Run
	s.Run = func(ctx context.Context) error {
		if a.meets(s.Name) {
			return errors.New("killed by a test at its start")
		}
		inner, wake := context.WithCancel(context.WithValue(ctx, serviceName{}, s.Name))
		defer wake()
		a.mu.Lock()
		a.wake[s.Name] = wake
		a.mu.Unlock()
		err := run(inner)
		if ctx.Err() == nil && a.meets(s.Name) {
			panic("killed by a test")
		}
		return err
	}
	return s
}

// deadly is a store that some callers do not return from.
type deadly struct {
	store.Database
	assassin *assassin
}

func (d *deadly) View(ctx context.Context, fn func(store.ReadTx) error) error {
	d.strike(ctx)
	return d.Database.View(ctx, fn)
}

func (d *deadly) Update(ctx context.Context, fn func(store.Tx) error) error {
	d.strike(ctx)
	return d.Database.Update(ctx, func(tx store.Tx) error {
		if d.assassin.meets(serviceWriter) { // this is its goroutine
			runtime.Goexit()
		}
		return fn(tx)
	})
}

// strike ends the goroutine of a writer, since a panic in a group is caught, and makes anybody
// else's panic.
func (d *deadly) strike(ctx context.Context) {
	name, _ := ctx.Value(serviceName{}).(string)
	if !d.assassin.meets(name) {
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
	service  string
	assassin *assassin
}

func (l *deadlyListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err == nil && l.assassin.meets(l.service) {
		c.Close()
		panic("killed by a test")
	}
	return c, err
}

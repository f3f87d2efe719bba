package httpkit

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// idleGrace is how long an idle connection is kept once the stop has begun: a request that was
	// sent before may still arrive.
	idleGrace = 200 * time.Millisecond
	// headPause is how long the head of a request may stop arriving then.
	headPause = 2 * time.Second
	// drainTick is how often the connections are checked.
	drainTick = 10 * time.Millisecond
)

// Drain stops a server without failing a request that has reached it. http.Server.Shutdown does
// not: it treats a connection as idle until the head of a request has been read, and closes idle
// ones immediately, with the requests that were sent over them. Drain closes a connection when
// nothing that arrived is unread and no response is pending. Meanwhile every response says
// Connection: close, and on HTTP/2 GOAWAY. To use it, put Listener under the server's listener,
// ConnState into http.Server, and the Drain into Config. It is safe for concurrent use.
type Drain struct {
	begun atomic.Int64 // when Begin was called, see moment; 0 before
	epoch time.Time

	mu    sync.Mutex
	flows map[net.Conn]*flow // by the connection as net/http knows it
}

// flow is the state of one connection.
type flow struct {
	socket *tracked // nil if Listener did not accept it
	state  http.ConnState
	since  time.Duration // of the state
}

// NewDrain returns a Drain for one server.
func NewDrain() *Drain { return &Drain{epoch: time.Now(), flows: map[net.Conn]*flow{}} }

// moment returns the time since NewDrain, never 0.
func (d *Drain) moment() time.Duration { return time.Since(d.epoch) + 1 }

// Begin makes every later response close its connection.
func (d *Drain) Begin() { d.begun.CompareAndSwap(0, int64(d.moment())) }

// stopping reports whether Begin was called. A nil Drain never stops.
func (d *Drain) stopping() bool { return d != nil && d.begun.Load() != 0 }

// Wait returns when no connection is left, or with the error of ctx. Before it, call Begin and close
// the listener.
func (d *Drain) Wait(ctx context.Context) error {
	closed := d.moment()
	tick := time.NewTicker(drainTick)
	defer tick.Stop()
	for d.closeQuiet(closed) > 0 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return nil
}

// closeQuiet closes the connections that nothing is pending on, and returns how many connections
// there were.
func (d *Drain) closeQuiet(from time.Duration) int {
	d.mu.Lock()
	var quiet []net.Conn
	now := d.moment()
	all := len(d.flows)
	for c, f := range d.flows {
		if f.quiet(now, from) {
			quiet = append(quiet, c)
		}
	}
	d.mu.Unlock()
	for _, c := range quiet {
		c.Close() // net/http notices that and calls ConnState
	}
	return all
}

// quiet reports whether nothing is pending on the connection at now. from is when the listener was
// closed.
func (f *flow) quiet(now, from time.Duration) bool {
	if f.state != http.StateNew && f.state != http.StateIdle {
		return false
	}
	if f.socket == nil {
		return now-max(from, f.since) > idleGrace
	}
	if f.socket.unread() {
		return false
	}
	if read := time.Duration(f.socket.lastRead.Load()); read > f.since {
		return now-read > headPause
	}
	return now-max(from, f.since) > idleGrace
}

// ConnState tracks the connections; set it as http.Server.ConnState.
func (d *Drain) ConnState(c net.Conn, state http.ConnState) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch state {
	case http.StateClosed, http.StateHijacked:
		delete(d.flows, c)
	case http.StateNew, http.StateActive, http.StateIdle:
		f := d.flows[c]
		if f == nil {
			f = &flow{socket: trackedOf(c)}
			d.flows[c] = f
		}
		f.state, f.since = state, d.moment()
	}
}

// Listener returns l with connections that record when they were last read from.
func (d *Drain) Listener(l net.Listener) net.Listener { return drainListener{l, d} }

type drainListener struct {
	net.Listener
	drain *Drain
}

func (l drainListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if tcp, ok := c.(*net.TCPConn); ok && err == nil {
		return &tracked{TCPConn: tcp, drain: l.drain}, nil
	}
	return c, err
}

// tracked is a TCP connection that records when it was last read from.
type tracked struct {
	*net.TCPConn
	drain    *Drain
	lastRead atomic.Int64
}

func (c *tracked) Read(p []byte) (int, error) {
	n, err := c.TCPConn.Read(p)
	if n > 0 {
		c.lastRead.Store(int64(c.drain.moment()))
	}
	return n, err
}

// WriteTo reads through Read, so that it is recorded.
func (c *tracked) WriteTo(w io.Writer) (int64, error) {
	return io.Copy(w, struct{ io.Reader }{c})
}

// unread reports whether the kernel holds bytes of the connection that have not been read.
func (c *tracked) unread() bool {
	raw, err := c.SyscallConn()
	if err != nil {
		return false
	}
	found := 0
	err = raw.Control(func(fd uintptr) {
		found, _, _ = unix.Recvfrom(int(fd), make([]byte, 1), unix.MSG_PEEK|unix.MSG_DONTWAIT)
	})
	return err == nil && found > 0
}

// trackedOf returns the connection that Listener made below its wrappers, nil if there is none.
func trackedOf(c net.Conn) *tracked {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	if b, ok := c.(*boundedConn); ok {
		c = b.Conn
	}
	if p, ok := c.(*conn); ok {
		c = p.socket
	}
	t, _ := c.(*tracked)
	return t
}

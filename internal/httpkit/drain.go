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
	// lastCall is how long a connection that nothing comes over is kept once the stop has begun: a request that was sent before may
	// still be on its way.
	lastCall = 200 * time.Millisecond
	// headPause is how long the head of a request may stop coming then.
	headPause = 2 * time.Second
	// drainTick is how often the connections are looked at.
	drainTick = 10 * time.Millisecond
)

// Drain lets a server stop without failing a request that has reached it. http.Server.Shutdown does not: to it a connection is idle until
// the head of a request has been read, and it closes idle ones at once, with whatever has been sent over them. Drain closes a
// connection when nothing that came over it is unread, and no answer is owed; every answer that is given meanwhile says Connection:
// close, on HTTP/2 by GOAWAY. Put Listener under the server's, ConnState into http.Server, and itself into Config.
type Drain struct {
	begun atomic.Int64 // when, see moment; 0 before
	epoch time.Time

	mu    sync.Mutex
	flows map[net.Conn]*flow // by the connection as net/http knows it
}

// flow is what is known of one connection.
type flow struct {
	socket *tracked // nil for one that is not ours
	state  http.ConnState
	since  time.Duration // of the state
}

// NewDrain returns a Drain for one server.
func NewDrain() *Drain { return &Drain{epoch: time.Now(), flows: map[net.Conn]*flow{}} }

// moment is the time since the drain was made, never 0.
func (d *Drain) moment() time.Duration { return time.Since(d.epoch) + 1 }

// Begin has every answer from now on end its connection.
func (d *Drain) Begin() { d.begun.CompareAndSwap(0, int64(d.moment())) }

// stopping reports whether Begin was called. A nil Drain never stops.
func (d *Drain) stopping() bool { return d != nil && d.begun.Load() != 0 }

// Wait returns when no connection is left, or with the error of ctx. The listener must be closed, and Begin called.
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

// closeQuiet closes the connections that nothing comes over, and returns how many there were.
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
		c.Close() // which net/http notices, and tells ConnState
	}
	return all
}

// quiet reports whether nothing is owed on a connection, at now. from is when the listener was closed.
func (f *flow) quiet(now, from time.Duration) bool {
	if f.state != http.StateNew && f.state != http.StateIdle {
		return false
	}
	if f.socket == nil {
		return now-max(from, f.since) > lastCall
	}
	if f.socket.unread() {
		return false
	}
	if read := time.Duration(f.socket.lastRead.Load()); read > f.since {
		return now-read > headPause
	}
	return now-max(from, f.since) > lastCall
}

// ConnState follows the connections; put it into http.Server.ConnState.
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

// Listener notes when something is read from the connections that it accepts.
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

// tracked is a TCP connection that remembers when something was last read from it.
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

// WriteTo keeps what reads from noticing less than Read.
func (c *tracked) WriteTo(w io.Writer) (int64, error) {
	return io.Copy(w, struct{ io.Reader }{c})
}

// unread reports whether the kernel holds bytes that nobody has read.
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

// trackedOf finds the connection that Listener has made under those that were put around it.
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

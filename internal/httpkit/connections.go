package httpkit

import (
	"errors"
	"io"
	"net"
	"sync"
)

// Bounded keeps at most n connections of l open at once. A further one waits in the system's backlog, unseen, until one is closed: an
// idle one is after the server's IdleTimeout at the latest. So what connections alone can take of memory and of file descriptors is
// bounded, and some are left for the database. n of 0 or less is no limit.
func Bounded(l net.Listener, n int) net.Listener {
	if n <= 0 {
		return l
	}
	return &bounded{Listener: l, open: make(chan struct{}, n), closed: make(chan struct{})}
}

type bounded struct {
	net.Listener
	open   chan struct{} // holds one for each connection
	closed chan struct{}
	once   sync.Once
}

func (b *bounded) Accept() (net.Conn, error) {
	select {
	case b.open <- struct{}{}:
	case <-b.closed:
		return nil, net.ErrClosed
	}
	c, err := b.Listener.Accept()
	if err != nil {
		<-b.open
		return nil, err
	}
	return &boundedConn{Conn: c, free: sync.OnceFunc(func() { <-b.open })}, nil
}

// Close also ends an Accept that waits for a connection to be closed.
func (b *bounded) Close() error {
	b.once.Do(func() { close(b.closed) })
	return b.Listener.Close()
}

// boundedConn keeps what net/http looks for beside net.Conn: half closing, sending files.
type boundedConn struct {
	net.Conn
	free func()
}

func (c *boundedConn) Close() error {
	defer c.free()
	return c.Conn.Close()
}

func (c *boundedConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

func (c *boundedConn) ReadFrom(r io.Reader) (int64, error) { return io.Copy(c.Conn, r) }

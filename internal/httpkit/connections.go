package httpkit

import (
	"errors"
	"io"
	"net"
	"sync"
)

// Bounded returns l limited to n open connections. Further connections wait in the backlog of the
// system until one is closed; an idle one is closed after the server's IdleTimeout. This limits the
// memory and the file descriptors that connections take, and leaves some for the database. If n is 0
// or less there is no limit.
func Bounded(l net.Listener, n int) net.Listener {
	if n <= 0 {
		return l
	}
	return &bounded{Listener: l, open: make(chan struct{}, n), closed: make(chan struct{})}
}

type bounded struct {
	net.Listener
	open   chan struct{} // one element per open connection
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

// Close also ends an Accept that waits for a free place.
func (b *bounded) Close() error {
	b.once.Do(func() { close(b.closed) })
	return b.Listener.Close()
}

// boundedConn keeps the optional methods of a TCP connection that net/http uses.
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

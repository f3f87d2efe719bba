package httpkit

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"firemode/internal/httpkit/httpkittest"
)

func dialled(t *testing.T, l net.Listener) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", l.Addr().String())
	must(t, err)
	t.Cleanup(func() { c.Close() })
	return c
}

// Connections over the limit are not refused: they are served when another one has gone.
func TestBounded_FurtherConnectionsWait(t *testing.T) {
	t.Parallel()
	k := newKit(t, []Route{rawRoute(http.MethodGet, "/test/live", func(w http.ResponseWriter, _ *http.Request) error {
		w.WriteHeader(http.StatusOK)
		return nil
	})})
	l, err := net.Listen("tcp", "localhost:0")
	must(t, err)
	server := httptest.NewUnstartedServer(k)
	must(t, server.Listener.Close())
	server.Listener = Bounded(Listener(l, newID), 2)
	server.Start()
	t.Cleanup(server.Close)
	ask := func(c net.Conn) {
		_, err := io.WriteString(c, "GET /test/live HTTP/1.1\r\nHost: x\r\n\r\n")
		must(t, err)
	}
	first, second, third := dialled(t, l), dialled(t, l), dialled(t, l)
	for range 2 { // they are kept, and served again
		for _, c := range []net.Conn{first, second} {
			ask(c)
			if rec := httpkittest.ReadAnswer(t, c); rec.Code != http.StatusOK {
				t.Errorf("status %d", rec.Code)
			}
		}
	}
	ask(third)
	must(t, third.SetReadDeadline(time.Now().Add(100*time.Millisecond)))
	if _, err := third.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("a third connection was served: %v", err)
	}
	must(t, third.SetReadDeadline(time.Time{}))
	answered := make(chan int, 1)
	go func() { answered <- httpkittest.ReadAnswer(t, third).Code }()
	must(t, first.Close())
	select {
	case status := <-answered:
		if status != http.StatusOK {
			t.Errorf("status %d", status)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("the third connection was never served")
	}
}

func TestBounded_CloseFreesAPlace(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "localhost:0")
	must(t, err)
	if Bounded(l, 0) != l {
		t.Error("no limit is a limit")
	}
	b := Bounded(l, 1)
	peer := dialled(t, l)
	c, err := b.Accept()
	must(t, err)
	dialled(t, l)
	accepted := make(chan error, 1)
	next := func() {
		_, err := b.Accept()
		accepted <- err
	}
	go next()
	half, ok := c.(interface{ CloseWrite() error })
	if !ok {
		t.Fatal("it cannot be closed by half")
	}
	must(t, half.CloseWrite())
	if _, err := peer.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the other end reads %v, want the end", err)
	}
	select {
	case <-accepted:
		t.Fatal("a second connection while the first is open")
	default:
	}
	must(t, c.Close())
	must(t, <-accepted)
	if err := c.Close(); err == nil { // gives nothing back twice
		t.Error("closed twice without an error")
	}
	go next()
	must(t, b.Close())
	if err := <-accepted; !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept returned %v after Close", err)
	}
}

package httpkit

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// drained is a server under a Drain, whose answers say when it stops as those of the API do.
type drained struct {
	*Drain
	server   *http.Server
	listener net.Listener
	served   chan error
}

func newDrained(t *testing.T, handler http.HandlerFunc) *drained {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	d := &drained{Drain: NewDrain(), listener: l, served: make(chan error, 1)}
	d.server = &http.Server{
		ConnState: d.ConnState,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			handler(&response{ResponseWriter: w, request: r, x: &State{}, drain: d.Drain, pause: time.Minute, now: time.Now}, r)
		}),
	}
	go func() { d.served <- d.server.Serve(Bounded(Listener(d.Listener(l), newID), 1000)) }()
	t.Cleanup(func() {
		d.server.Close()
		<-d.served
	})
	return d
}

// stop begins the drain and closes the listener; the channel gives what Wait returns.
func (d *drained) stop(ctx context.Context) <-chan error {
	d.Begin()
	d.listener.Close()
	done := make(chan error, 1)
	go func() { done <- d.Wait(ctx) }()
	return done
}

// caller is one connection of a client that does not help itself: it never sends anything twice.
type caller struct {
	net.Conn
	r *bufio.Reader
}

func (d *drained) call(t *testing.T) *caller {
	t.Helper()
	c, err := net.Dial("tcp", d.listener.Addr().String())
	must(t, err)
	t.Cleanup(func() { c.Close() })
	return &caller{c, bufio.NewReader(c)}
}

const plainRequest = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

// answer reads the answer to the request that was sent.
func (c *caller) answer(t *testing.T) *http.Response {
	t.Helper()
	a, err := http.ReadResponse(c.r, nil)
	if err != nil {
		t.Fatalf("a request that was sent was not answered: %v", err)
	}
	_, err = io.Copy(io.Discard, a.Body)
	must(t, err)
	return a
}

func (c *caller) send(t *testing.T, text string) {
	t.Helper()
	_, err := io.WriteString(c, text)
	must(t, err)
}

func TestDrain_RunningRequest_AnsweredAndClosed(t *testing.T) {
	t.Parallel()
	began, release := make(chan struct{}), make(chan struct{})
	d := newDrained(t, func(w http.ResponseWriter, _ *http.Request) {
		close(began)
		<-release
		io.WriteString(w, "done")
	})
	c := d.call(t)
	c.send(t, plainRequest)
	<-began
	done := d.stop(t.Context())
	close(release)
	if a := c.answer(t); a.StatusCode != http.StatusOK || !a.Close {
		t.Errorf("status %d, Connection: close %t", a.StatusCode, a.Close)
	}
	must(t, <-done)
}

// What http.Server.Shutdown loses: a request that lies in a connection which was idle, unread.
func TestDrain_UnreadRequest_Answered(t *testing.T) {
	t.Parallel()
	for range 20 {
		d := newDrained(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "done") })
		var callers []*caller
		for range 16 {
			c := d.call(t)
			c.send(t, plainRequest)
			c.answer(t)
			callers = append(callers, c)
		}
		for _, c := range callers {
			c.send(t, plainRequest)
		}
		done := d.stop(t.Context())
		for _, c := range callers {
			if a := c.answer(t); a.StatusCode != http.StatusOK {
				t.Errorf("status %d", a.StatusCode)
			}
		}
		must(t, <-done)
	}
}

// The head of a request may come in pieces.
func TestDrain_PartialHead_Awaited(t *testing.T) {
	t.Parallel()
	d := newDrained(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "done") })
	c := d.call(t)
	c.send(t, plainRequest[:10])
	for quiet := false; !quiet; { // until it has been read: then nothing is unread, and no request is there
		d.mu.Lock()
		for _, f := range d.flows {
			quiet = f.socket.lastRead.Load() > 0
		}
		d.mu.Unlock()
	}
	done := d.stop(t.Context())
	select {
	case <-done:
		t.Fatal("it was not waited for")
	case <-time.After(2 * idleGrace): // longer than for one over which nothing came
	}
	c.send(t, plainRequest[10:])
	if a := c.answer(t); a.StatusCode != http.StatusOK || !a.Close {
		t.Errorf("status %d, Connection: close %t", a.StatusCode, a.Close)
	}
	must(t, <-done)
}

// Connections over which nothing comes do not hold a stop up, used or not.
func TestDrain_IdleConnections_Closed(t *testing.T) {
	t.Parallel()
	d := newDrained(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "done") })
	fresh, used := d.call(t), d.call(t)
	used.send(t, plainRequest)
	if a := used.answer(t); a.Close {
		t.Error("the connection ended before the stop began")
	}
	must(t, <-d.stop(t.Context()))
	for _, c := range []*caller{fresh, used} {
		if _, err := c.r.ReadByte(); err != io.EOF {
			t.Errorf("got %v, want EOF", err)
		}
	}
}

func TestDrain_Wait_EndsWithItsContext(t *testing.T) {
	t.Parallel()
	began, release := make(chan struct{}), make(chan struct{})
	d := newDrained(t, func(http.ResponseWriter, *http.Request) { close(began); <-release })
	d.call(t).send(t, plainRequest)
	<-began
	ctx, cancel := context.WithCancel(t.Context())
	done := d.stop(ctx)
	cancel()
	if err := <-done; err != context.Canceled {
		t.Errorf("got %v", err)
	}
	close(release)
}

// On HTTP/2 over TLS the same holds, request by request.
func TestDrain_HTTP2(t *testing.T) {
	t.Parallel()
	began, release := make(chan struct{}), make(chan struct{})
	d := NewDrain()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			close(began)
			<-release
		}
		rw := &response{ResponseWriter: w, request: r, x: &State{}, drain: d, pause: time.Minute, now: time.Now}
		fmt.Fprint(rw, r.Proto)
	}))
	server.Config.ConnState = d.ConnState
	server.Listener = Bounded(d.Listener(server.Listener), 1000)
	server.EnableHTTP2 = true
	server.TLS = &tls.Config{}
	server.StartTLS()
	defer server.Close()
	client := server.Client()
	get := func(path string) (string, error) {
		a, err := client.Get(server.URL + path)
		if err != nil {
			return "", err
		}
		defer a.Body.Close()
		text, err := io.ReadAll(a.Body)
		return string(text), err
	}
	if proto, err := get("/"); err != nil || proto != "HTTP/2.0" {
		t.Fatalf("%s %v", proto, err)
	}
	slow := make(chan error, 1)
	go func() {
		_, err := get("/slow")
		slow <- err
	}()
	<-began
	d.Begin()
	server.Listener.Close()
	done := make(chan error, 1)
	go func() { done <- d.Wait(t.Context()) }()
	close(release)
	must(t, <-slow)
	must(t, <-done)
}

package httpkit

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"firemode/internal/httpkit/httpkittest"
)

// sending is a Server with a route that sends size bytes in one Write and reports how that went.
func sending(t *testing.T, size int, pause time.Duration) (*kit, <-chan error) {
	t.Helper()
	outcome := make(chan error, 1)
	k := newKit(t, []Route{rawRoute(http.MethodGet, "/test/send", func(rw http.ResponseWriter, _ *http.Request) error {
		rw.Header().Set("Content-Type", "application/octet-stream")
		_, err := rw.Write(make([]byte, size))
		outcome <- err
		return nil
	})}, func(c *Config) { c.Limits.Pause = pause })
	return k, outcome
}

// A client that stops taking its answer does not keep the handler, nor what that reads from.
func TestResponse_ClientStopsReading_Closed(t *testing.T) {
	t.Parallel()
	k, sent := sending(t, 64<<20, 50*time.Millisecond)
	server := httptest.NewServer(k)
	defer server.Close()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	must(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, "GET /test/send HTTP/1.1\r\nHost: x\r\n\r\n")
	must(t, err)
	if err := <-sent; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("it ended with %v, want that the deadline has passed", err)
	}
}

// An answer may take longer than the pause, as long as each piece of it does not.
func TestResponse_SlowClient_Awaited(t *testing.T) {
	t.Parallel()
	const pieces = 9
	k, sent := sending(t, pieces*pieceSize, time.Minute)
	r := httptest.NewRequest(http.MethodGet, "/test/send", strings.NewReader(""))
	out := &httpkittest.Deadlines{ResponseRecorder: httptest.NewRecorder()}
	k.ServeHTTP(out, r)
	must(t, <-sent)
	if out.Writes != pieces+2 || out.Body.Len() != pieces*pieceSize {
		t.Errorf("the deadline was moved %d times for %d bytes, want one move for the header, for each of %d pieces and for the end", out.Writes, out.Body.Len(), pieces)
	}
}

package httpapi

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"
)

// sending is the API with a route that sends size bytes in one Write and tells how that went.
func sending(t *testing.T, size int, change func(*Config)) (a *API, w *world, sent <-chan error) {
	t.Helper()
	w = newWorld(t, change)
	outcome := make(chan error, 1)
	a, err := build(w.Config, []Route{{
		Method: http.MethodGet, Pattern: "/test/send", ID: "send", Tag: "test",
		serve: raw(func(_ *API, rw http.ResponseWriter, r *http.Request) error {
			rw.Header().Set("Content-Type", "application/octet-stream")
			_, err := rw.Write(make([]byte, size))
			outcome <- err
			return nil
		}, nil),
	}})
	must(t, err)
	return a, w, outcome
}

// A client that stops taking its answer does not keep the handler, nor what that reads from.
func TestAnswerThatIsNotTaken(t *testing.T) {
	t.Parallel()
	a, w, sent := sending(t, 64<<20, func(c *Config) { c.Pause = 50 * time.Millisecond })
	server := httptest.NewServer(a)
	defer server.Close()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	must(t, err)
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "GET /test/send HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n", w.tokens["admin"])
	must(t, err)
	if err := <-sent; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("it ended with %v, want that the deadline has passed", err)
	}
}

// An answer may take longer than the pause, as long as each piece of it does not.
func TestSlowAnswerIsAwaited(t *testing.T) {
	t.Parallel()
	const pieces = 9
	a, w, sent := sending(t, pieces*pieceSize, func(c *Config) { c.Pause = time.Minute })
	r := httptest.NewRequest(http.MethodGet, "/test/send", strings.NewReader(""))
	r.Header.Set("Authorization", "Bearer "+w.tokens["admin"])
	out := &deadlineCounter{ResponseRecorder: httptest.NewRecorder()}
	a.ServeHTTP(out, r)
	must(t, <-sent)
	if out.writes != pieces+2 || out.Body.Len() != pieces*pieceSize {
		t.Errorf("the deadline was moved %d times for %d bytes, want one move for the header, for each of %d pieces and for the end", out.writes, out.Body.Len(), pieces)
	}
}

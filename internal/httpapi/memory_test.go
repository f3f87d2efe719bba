package httpapi

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// waiting is the API with room for a few bodies, and a route whose requests wait in the handler with theirs until let.
func waiting(t *testing.T, room int64) (a *API, w *world, in <-chan int, let func()) {
	t.Helper()
	w = newWorld(t, func(c *Config) { c.BodyMemory = room })
	entered, gate := make(chan int), make(chan struct{})
	a, err := build(w.Config, []Route{{
		Method: http.MethodPost, Pattern: "/test/wait", ID: "wait", Tag: "test", Body: Body{Media: mediaJSON, Limit: 1 << 20},
		serve: raw(func(_ *API, rw http.ResponseWriter, r *http.Request) error {
			entered <- len(exchangeOf(r.Context()).body)
			<-gate
			rw.WriteHeader(http.StatusNoContent)
			return nil
		}, nil),
	}})
	must(t, err)
	return a, w, entered, sync.OnceFunc(func() { close(gate) })
}

func TestBodiesInMemoryAreBounded(t *testing.T) {
	t.Parallel()
	const size = 100_000
	const room = 3 * (bodyBase + size)
	a, w, in, let := waiting(t, room)
	defer let()
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			rec := httptest.NewRecorder()
			a.ServeHTTP(rec, httptest.NewRequest(http.MethodPost, "/test/wait", bytes.NewReader(padded(size))))
			if rec.Code != http.StatusNoContent {
				t.Errorf("status %d for what had been taken", rec.Code)
			}
		})
		<-in
	}
	for name, r := range map[string]*http.Request{
		"of known length": httptest.NewRequest(http.MethodPost, "/test/wait", unread{t}),
		"of no length":    httptest.NewRequest(http.MethodPost, "/test/wait", unread{t}),
		"encoded":         httptest.NewRequest(http.MethodPost, "/test/wait", unread{t}),
	} {
		r.ContentLength = -1
		switch name {
		case "of known length":
			r.ContentLength = 1
		case "encoded":
			r.Header.Set("Content-Encoding", "gzip")
		}
		rec := httptest.NewRecorder()
		a.ServeHTTP(rec, r)
		p := wantProblem(t, rec, http.StatusServiceUnavailable)
		if !p.Retryable || rec.Header().Get("Retry-After") != "1" {
			t.Errorf("%s: retryable %v, Retry-After %q", name, p.Retryable, rec.Header().Get("Retry-After"))
		}
	}
	if shed := w.Metrics.(*observations).refused(); !slices.Equal(shed, []string{"memory", "memory", "memory"}) {
		t.Errorf("shed for %q", shed)
	}
	let()
	all.Wait()
	if held := a.bodies.held.Load(); held != 0 {
		t.Errorf("%d bytes are held by nobody", held)
	}
	go func() { <-in }()
	rec := httptest.NewRecorder()
	a.ServeHTTP(rec, httptest.NewRequest(http.MethodPost, "/test/wait", bytes.NewReader(padded(size))))
	if rec.Code != http.StatusNoContent {
		t.Errorf("status %d when there is room again", rec.Code)
	}
}

// blank is a right body of n bytes that becomes about an eighth of it when it is compressed.
func blank(n int) []byte {
	body, state := padded(n), uint32(1)
	for i := range body {
		if state = state*1664525 + 1013904223; body[i] == ' ' && state>>31 == 1 {
			body[i] = '\n'
		}
	}
	return body
}

// What a body takes is found out while it comes, and while it is decoded, if its head does not tell.
func TestBodiesThatGrowAreCounted(t *testing.T) {
	t.Parallel()
	const room = bodyBase + 200_000
	w := newWorld(t, func(c *Config) { c.BodyMemory = room })
	w.get(http.StatusCreated, as("manager", "POST", "/v1/buildings", `{"building_id":"b","site_name":"B","site_address":"S"}`))
	large, small := blank(300_000), blank(90_000)
	for name, row := range map[string]struct {
		body     []byte
		encoding string
		status   int
	}{
		"large":          {large, "", http.StatusServiceUnavailable},
		"large, gzipped": {gzipped(t, large), "gzip", http.StatusServiceUnavailable},
		"large, zstd":    {zstded(t, large), "zstd", http.StatusServiceUnavailable},
		"small":          {small, "", http.StatusOK},
		"small, gzipped": {gzipped(t, small), "gzip", http.StatusOK},
		"small, zstd":    {zstded(t, small), "zstd", http.StatusOK},
	} {
		r := httptest.NewRequest(http.MethodPatch, "/v1/buildings/b", io.MultiReader(bytes.NewReader(row.body)))
		r.ContentLength = -1
		r.Header.Set("Authorization", "Bearer "+w.tokens["manager"])
		r.Header.Set("Content-Type", mediaJSON)
		r.Header.Set("Content-Encoding", row.encoding)
		rec := httptest.NewRecorder()
		w.ServeHTTP(rec, r)
		if rec.Code != row.status {
			t.Errorf("%s: status %d, want %d: %s", name, rec.Code, row.status, rec.Body)
		}
		if held := w.bodies.held.Load(); held != 0 {
			t.Errorf("%s: %d bytes are held by nobody", name, held)
		}
	}
}

// A request that is refused before its body was read is answered, and let go of, though the body never comes: nobody holds a
// connection and its goroutine by promising one.
func TestRefusedBodyThatNeverComes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *Config) {
		c.Pause = 50 * time.Millisecond
		c.Queues = map[string]func() time.Duration{QueueDatabase: func() time.Duration { return time.Minute }}
	})
	server := w.served()
	for name, row := range map[string]struct {
		head   string
		status int
	}{
		"nobody":            {"POST /v1/buildings HTTP/1.1\r\n", http.StatusUnauthorized},
		"a role that not":   {"POST /v1/users HTTP/1.1\r\nAuthorization: Bearer " + w.tokens["owner"] + "\r\n", http.StatusForbidden},
		"shed":              {"POST /v1/buildings HTTP/1.1\r\nAuthorization: Bearer " + w.tokens["admin"] + "\r\n", http.StatusServiceUnavailable},
		"no route":          {"POST /nowhere HTTP/1.1\r\n", http.StatusNotFound},
		"another method":    {"DELETE /v1/buildings HTTP/1.1\r\n", http.StatusMethodNotAllowed},
		"a route with none": {"POST /v1/auth/logout HTTP/1.1\r\n", http.StatusUnauthorized},
	} {
		for _, length := range []string{"Content-Length: 100\r\n\r\n{", "Transfer-Encoding: chunked\r\n\r\n5\r\n{"} {
			conn, err := net.Dial("tcp", server.Listener.Addr().String())
			must(t, err)
			_, err = fmt.Fprint(conn, strings.Replace(row.head, "\r\n", "\r\nHost: x\r\n", 1)+length)
			must(t, err)
			wantProblem(t, readAnswer(t, conn), row.status)
			if _, err := conn.Read(make([]byte, 1)); err == nil {
				t.Errorf("%s: the connection goes on", name)
			}
			must(t, conn.Close())
		}
	}
}

package httpkit

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

	"firemode"
	"firemode/internal/httpkit/httpkittest"
)

// waiting is a Server with memory for a few bodies, and a route whose requests wait in the handler
// with theirs until let.
func waiting(t *testing.T, memory int64) (k *kit, in <-chan int, let func()) {
	t.Helper()
	entered, gate := make(chan int), make(chan struct{})
	rt := rawRoute(http.MethodPost, "/test/wait", func(rw http.ResponseWriter, r *http.Request) error {
		entered <- len(StateOf(r.Context()).Body)
		<-gate
		rw.WriteHeader(http.StatusNoContent)
		return nil
	})
	rt.Body = Body{Media: MediaJSON, Limit: 1 << 20}
	k = newKit(t, []Route{rt}, func(c *Config) { c.Limits.BodyMemory = memory })
	return k, entered, sync.OnceFunc(func() { close(gate) })
}

// taking is a route that takes a JSON body of at most 8 MiB and answers 204.
func taking(method, pattern string) Route {
	rt := rawRoute(method, pattern, func(rw http.ResponseWriter, _ *http.Request) error {
		rw.WriteHeader(http.StatusNoContent)
		return nil
	})
	rt.Body = Body{Media: MediaJSON, Limit: 8 << 20}
	return rt
}

func TestQuota_Exhausted_503(t *testing.T) {
	t.Parallel()
	const size = 100_000
	const room = 3 * (requestOverhead + size)
	k, in, let := waiting(t, room)
	defer let()
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			rec := httptest.NewRecorder()
			k.ServeHTTP(rec, httptest.NewRequest(http.MethodPost, "/test/wait", bytes.NewReader(padded(size))))
			if rec.Code != http.StatusNoContent {
				t.Errorf("status %d for what had been taken", rec.Code)
			}
		})
		<-in
	}
	for name, r := range map[string]*http.Request{
		"of known length": httptest.NewRequest(http.MethodPost, "/test/wait", httpkittest.Unread{TB: t}),
		"of no length":    httptest.NewRequest(http.MethodPost, "/test/wait", httpkittest.Unread{TB: t}),
		"encoded":         httptest.NewRequest(http.MethodPost, "/test/wait", httpkittest.Unread{TB: t}),
	} {
		r.ContentLength = -1
		switch name {
		case "of known length":
			r.ContentLength = 1
		case "encoded":
			r.Header.Set("Content-Encoding", "gzip")
		}
		rec := httptest.NewRecorder()
		k.ServeHTTP(rec, r)
		p := httpkittest.WantProblem(t, rec, http.StatusServiceUnavailable)
		if !p.Retryable || rec.Header().Get("Retry-After") != "1" {
			t.Errorf("%s: retryable %v, Retry-After %q", name, p.Retryable, rec.Header().Get("Retry-After"))
		}
	}
	if shed := k.seen.Shed(); !slices.Equal(shed, []string{"memory", "memory", "memory"}) {
		t.Errorf("shed for %q", shed)
	}
	let()
	all.Wait()
	if held := k.load.memory.used.Load(); held != 0 {
		t.Errorf("%d bytes are held by nobody", held)
	}
	go func() { <-in }()
	rec := httptest.NewRecorder()
	k.ServeHTTP(rec, httptest.NewRequest(http.MethodPost, "/test/wait", bytes.NewReader(padded(size))))
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
func TestQuota_UnknownLength_Counted(t *testing.T) {
	t.Parallel()
	const room = requestOverhead + 200_000
	k := newKit(t, []Route{taking(http.MethodPatch, "/test/take")}, func(c *Config) { c.Limits.BodyMemory = room })
	large, small := blank(300_000), blank(90_000)
	for name, row := range map[string]struct {
		body     []byte
		encoding string
		status   int
	}{
		"large":          {large, "", http.StatusServiceUnavailable},
		"large, gzipped": {httpkittest.Gzipped(t, large), "gzip", http.StatusServiceUnavailable},
		"large, zstd":    {httpkittest.Zstded(t, large), "zstd", http.StatusServiceUnavailable},
		"small":          {small, "", http.StatusNoContent},
		"small, gzipped": {httpkittest.Gzipped(t, small), "gzip", http.StatusNoContent},
		"small, zstd":    {httpkittest.Zstded(t, small), "zstd", http.StatusNoContent},
	} {
		r := httptest.NewRequest(http.MethodPatch, "/test/take", io.MultiReader(bytes.NewReader(row.body)))
		r.ContentLength = -1
		r.Header.Set("Content-Type", MediaJSON)
		r.Header.Set("Content-Encoding", row.encoding)
		rec := httptest.NewRecorder()
		k.ServeHTTP(rec, r)
		if rec.Code != row.status {
			t.Errorf("%s: status %d, want %d: %s", name, rec.Code, row.status, rec.Body)
		}
		if held := k.load.memory.used.Load(); held != 0 {
			t.Errorf("%s: %d bytes are held by nobody", name, held)
		}
	}
}

// A request that is refused before its body was read is answered, and let go of, though the body
// never comes: nobody holds a connection and its goroutine by promising one.
func TestBody_OfARefusedRequest_NotAwaited(t *testing.T) {
	t.Parallel()
	open, guarded, bodiless := taking(http.MethodPost, "/open"), taking(http.MethodPost,
		"/guarded"), taking(http.MethodPost, "/bodiless")
	guarded.Permission, bodiless.Permission, bodiless.Body = only(firemode.RoleAdmin), only(firemode.RoleAdmin), Body{}
	k := newKit(t, []Route{open, guarded, bodiless}, func(c *Config) {
		c.Limits.Pause = 50 * time.Millisecond
		c.Limits.Queues = map[string]func() time.Duration{QueueDatabase: func() time.Duration { return time.Minute }}
	})
	server := httptest.NewServer(k)
	defer server.Close()
	for name, row := range map[string]struct {
		head   string
		status int
	}{
		"nobody":            {"POST /guarded HTTP/1.1\r\n", http.StatusUnauthorized},
		"a role that not":   {"POST /guarded HTTP/1.1\r\nAuthorization: Bearer owner\r\n", http.StatusForbidden},
		"shed":              {"POST /guarded HTTP/1.1\r\nAuthorization: Bearer admin\r\n", http.StatusServiceUnavailable},
		"no route":          {"POST /nowhere HTTP/1.1\r\n", http.StatusNotFound},
		"another method":    {"DELETE /open HTTP/1.1\r\n", http.StatusMethodNotAllowed},
		"a route with none": {"POST /bodiless HTTP/1.1\r\n", http.StatusUnauthorized},
	} {
		for _, length := range []string{"Content-Length: 100\r\n\r\n{", "Transfer-Encoding: chunked\r\n\r\n5\r\n{"} {
			conn, err := net.Dial("tcp", server.Listener.Addr().String())
			must(t, err)
			_, err = fmt.Fprint(conn, strings.Replace(row.head, "\r\n", "\r\nHost: x\r\n", 1)+length)
			must(t, err)
			httpkittest.WantProblem(t, httpkittest.ReadAnswer(t, conn), row.status)
			if _, err := conn.Read(make([]byte, 1)); err == nil {
				t.Errorf("%s: the connection goes on", name)
			}
			must(t, conn.Close())
		}
	}
}

// padded is a JSON body of exactly n bytes.
func padded(n int) []byte {
	body := []byte(`{"site_name":"Pad","site_address":"Street"}`)
	return append(body, bytes.Repeat([]byte(" "), n-len(body))...)
}

package client

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
)

const busy = `{"transaction_id":"x","error_code":"FIRE-503","message":"try again","retryable":true,"details":[]}`

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// script is a server that gives its responses in turn and records its requests.
type script struct {
	mu        sync.Mutex
	responses []http.HandlerFunc
	received  []received
	waits     []time.Duration // for which the client slept
}

type received struct {
	method, path, key, authorization, encoding, body string
}

// play starts the server and returns a client of it that does not really sleep.
func play(t *testing.T, c Config, responses ...http.HandlerFunc) (*script, *Client) {
	t.Helper()
	s := &script{responses: responses}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	c.BaseURL = server.URL
	c.Sleep = func(ctx context.Context, d time.Duration) error {
		s.waits = append(s.waits, d)
		return ctx.Err()
	}
	made, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return s, made
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if r.Header.Get("Content-Encoding") == "zstd" {
		z, _ := zstd.NewReader(nil)
		body, _ = z.DecodeAll(body, nil)
	}
	s.mu.Lock()
	i := len(s.received)
	s.received = append(s.received, received{
		r.Method, r.URL.RequestURI(), r.Header.Get(headerKey), r.Header.Get("Authorization"),
		r.Header.Get("Content-Encoding"), string(body),
	})
	s.mu.Unlock()
	if i >= len(s.responses) {
		http.Error(w, "the script has ended", http.StatusTeapot)
		return
	}
	s.responses[i](w, r)
}

// respond is a response of the script.
func respond(status int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

// cut breaks the connection after the first bytes of a response, or before any.
func cut(start string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if start != "" {
			w.Header().Set("Content-Length", "1000")
			io.WriteString(w, start)
		}
		panic(http.ErrAbortHandler)
	}
}

// paths lists the requests as method and path.
func (s *script) paths() []string {
	var all []string
	for _, r := range s.received {
		all = append(all, r.method+" "+r.path)
	}
	return all
}

func equal(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

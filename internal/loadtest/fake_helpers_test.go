package loadtest

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"firemode"
)

// fake is a server of the few endpoints that a run needs, for tests in virtual time. It says
// nothing about the real one: that is what real_test.go is for.
type fake struct {
	t      *testing.T
	pause  func(path string) time.Duration // how long the next request takes, unless nil
	listen *pipes

	mu      sync.Mutex
	written []string
	logins  []string
}

// pipes is a network without a machine around it, so that time in a bubble goes on while it is
// waited for.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.closed); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

func (p *pipes) dial(context.Context, string, string) (net.Conn, error) {
	near, far := net.Pipe()
	p.conns <- far
	return near, nil
}

// serveFake starts a fake in the bubble of t, and a Config for it.
func serveFake(t *testing.T) (*fake, Config) {
	f := &fake{t: t, listen: &pipes{make(chan net.Conn), make(chan struct{})}}
	server := &http.Server{Handler: f} //nolint:gosec // nobody reaches it
	go server.Serve(f.listen)          //nolint:errcheck // it ends with Close
	t.Cleanup(func() { server.Close() })
	return f, Config{
		Target:    "http://localhost",
		Accounts:  []Account{{"ann", "a"}, {"ben", "b"}},
		Users:     20,
		SpawnRate: 9.7,
		Duration:  20 * time.Second,
		Session:   "123",
		Item:      "FE-01",
		Condition: "low",
		Run:       "run",
		Now:       time.Now,
		Dial:      f.listen.dial,
	}
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if f.pause != nil {
		select {
		case <-time.After(f.pause(r.URL.Path)):
		case <-f.listen.closed:
		}
	}
	switch r.URL.Path {
	case "/v1/auth/login":
		var in struct{ Username string }
		f.read(r, &in)
		f.logins = append(f.logins, in.Username)
		fmt.Fprintf(w, `{"access_token": "t-%s", "refresh_token": "r", "expires_in": 900}`, in.Username)
	case "/v1/classify":
		fmt.Fprint(w, `{"classification": "non_critical_defect", "audit_log_id": "a-1"}`)
	case "/v1/tests/sessions/123":
		fmt.Fprint(w, `{"session_id": "123"}`)
	case "/v1/tests/sessions/123/sync_status":
		fmt.Fprint(w, `{"session_id": "123", "sequence": 0}`)
	case "/v1/tests/sessions/123/offline_bundle":
		fmt.Fprint(w, `{"bundle": true}`)
	case "/v1/tests/sessions/123/history":
		f.history(w, r)
	case "/v1/tests/sessions/123/results":
		f.results(w, r)
	default:
		http.NotFound(w, r)
	}
}

func (f *fake) read(r *http.Request, into any) {
	if err := json.NewDecoder(r.Body).Decode(into); err != nil {
		f.t.Errorf("%s: %v", r.URL.Path, err)
	}
}

// results keeps what is posted, and shows the newest.
func (f *fake) results(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r.Method == http.MethodGet {
		fmt.Fprintf(w, `{"session_id": "123", "complete": true, "document": {"test": %q}}`, f.written[len(f.written)-1])
		return
	}
	var in struct {
		Changes []struct{ Op, Path, Value string }
		Meta    json.RawMessage `json:"_sync_meta"`
	}
	f.read(r, &in)
	if len(in.Changes) != 1 || in.Changes[0].Path != "/test" || in.Changes[0].Op != "set" ||
		r.Header.Get("Idempotency-Key") == "" {
		f.t.Errorf("posted %+v under %q", in, r.Header.Get("Idempotency-Key"))
	}
	if string(in.Meta) != `{"vector_clock":{}}` {
		f.t.Errorf("the naive client says %s", in.Meta)
	}
	f.written = append(f.written, in.Changes[0].Value)
	fmt.Fprint(w, `{"status": "merged", "applied": 1, "results": [{"index": 0, "status": "applied"}]}`)
}

// history is one writer's, newest first, in pages of 100.
func (f *fake) history(w http.ResponseWriter, r *http.Request) {
	type change struct {
		Sequence int    `json:"sequence"`
		Dot      string `json:"dot"`
		Value    string `json:"value"`
		Live     bool   `json:"live"`
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	begin, _ := strconv.Atoi(r.URL.Query().Get("cursor"))
	page := struct {
		Data []change `json:"data"`
		Next *string  `json:"next_cursor"`
	}{}
	newest := slices.Clone(f.written)
	slices.Reverse(newest)
	for i := begin; i < min(begin+100, len(newest)); i++ {
		n := len(newest) - i
		page.Data = append(page.Data, change{n, fmt.Sprintf("~all:%d:0", n), newest[i], i == 0})
	}
	if end := begin + 100; end < len(newest) {
		next := strconv.Itoa(end)
		page.Next = &next
	}
	json.NewEncoder(w).Encode(page) //nolint:errcheck // the run notices
}

// engineFor is an engine that has logged in, for tests of its parts.
func engineFor(t *testing.T, c Config) *engine {
	target, err := newTarget(c)
	if err != nil {
		t.Fatal(err)
	}
	c.Timeout = defaultTimeout
	e := &engine{
		Config:   c,
		target:   target,
		control:  target.client(),
		acks:     &acks{},
		expected: firemode.ClassNonCritical,
		recorder: newRecorder(c.Now()),
	}
	if err := e.logIn(t.Context()); err != nil {
		t.Fatal(err)
	}
	return e
}

package httpapi

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"database/sql"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"firemode"
	"firemode/internal/catalogue"
	"firemode/internal/defects"
	"firemode/internal/httpkit"
	"firemode/internal/httpkit/httpkittest"
	"firemode/internal/record/ledger"
	"firemode/internal/record/merge"
	"firemode/internal/store"
	"firemode/internal/store/postgres"
	"firemode/internal/store/sqlite"
	"firemode/internal/store/storetest/pgtest"
)

// Whatever waits, on either engine: once the first in the queue has waited for two seconds what
// comes is refused without its body having been asked for; what waits is written when it can be,
// and then all is taken again.
func TestShedding_AcceptedWritesAreKept(t *testing.T) {
	t.Parallel()
	for engine, open := range map[string]func(*testing.T, func() time.Time) lockable{
		"sqlite":   lockableSQLite,
		"postgres": lockablePostgres,
	} {
		for _, kind := range queuedKinds() {
			t.Run(engine+" "+kind.queue, func(t *testing.T) {
				t.Parallel()
				clock := &jumping{}
				s := open(t, clock.only(kind.queue == httpkit.QueueDatabase))
				w := newWorldOn(t, s.Database, queuesOn(t, s.Database, clock, kind.queue))
				w.staff("tech1", firemode.RoleTechnician)
				w.get(http.StatusCreated, as("manager", "POST", "/v1/buildings",
					`{"building_id":"b","site_name":"B","site_address":"S"}`))
				w.session(t, "s")
				heldUp(t, w, s, kind, clock)
			})
		}
	}
}

// What is shed is every write, by the database's queue and its own alone, and no reading.
func TestShedding_WritesOfTheDeepQueue(t *testing.T) {
	t.Parallel()
	var deep atomic.Pointer[string]
	depth := func(name string) func() time.Duration {
		return func() time.Duration {
			if is := deep.Load(); is != nil && *is == name {
				return 2*time.Second + 1
			}
			return 2 * time.Second // which is not too deep
		}
	}
	names := []string{httpkit.QueueDatabase, QueueResults, QueueClassifications}
	w := newWorld(t, func(c *Config) {
		c.Limits.Queues = map[string]func() time.Duration{}
		for _, name := range names {
			c.Limits.Queues[name] = depth(name)
		}
	})
	var err error
	for _, name := range names {
		deep.Store(&name)
		for _, rt := range routes() {
			if rt.Pattern == "/metrics" {
				continue
			}
			w.tokens["admin"], err = w.Services.Auth.AccessToken(t.Context(), "admin") // one of the routes is logout
			must(t, err)
			q := request{as: "admin", method: rt.Method, path: strings.NewReplacer("{", "", "}", "").Replace(rt.Pattern)}
			r := q.build(w)
			if rt.Body.Media != "" && rt.Method != http.MethodGet {
				r.ContentLength = 10
				r.Body = io.NopCloser(strings.NewReader(`{"a": "b"}`))
			}
			wanted := rt.Method != http.MethodGet && (name == httpkit.QueueDatabase || name == rt.Queue)
			if wanted {
				r.Body = io.NopCloser(httpkittest.Unread{TB: t})
			}
			rec := httptest.NewRecorder()
			w.ServeHTTP(rec, r)
			if got := rec.Code == http.StatusServiceUnavailable; got != wanted {
				t.Errorf("%s %s with the queue %s too deep: status %d", rt.Method, rt.Pattern, name, rec.Code)
			}
			if wanted && rec.Header().Get("Retry-After") != "3" {
				t.Errorf("%s: Retry-After %q, want 3", rt.Pattern, rec.Header().Get("Retry-After"))
			}
		}
	}
}

// Who may not come in, or may not do that, is told so even then.
func TestShedding_AfterAuthorization(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *Config) {
		c.Limits.Queues = map[string]func() time.Duration{httpkit.QueueDatabase: func() time.Duration { return time.Minute }}
	})
	httpkittest.WantProblem(t, w.do(request{method: "POST", path: "/v1/buildings", body: "{}"}), http.StatusUnauthorized)
	httpkittest.WantProblem(t, w.do(as("owner", "POST", "/v1/users", "{}")), http.StatusForbidden)
	httpkittest.WantProblem(t, w.do(as("admin", "POST", "/v1/users", "{}")), http.StatusServiceUnavailable)
}

// jumping is the machine's clock, until a test moves it ahead.
type jumping struct{ ahead atomic.Int64 }

func (j *jumping) now() time.Time { return time.Now().Add(time.Duration(j.ahead.Load())) }

func (j *jumping) jump(d time.Duration) { j.ahead.Add(int64(d)) }

// lockable is a store whose commits somebody else can hold up.
type lockable struct {
	store.Database
	hold func(t *testing.T) (release func())
}

func lockableSQLite(t *testing.T, now func() time.Time) lockable {
	path := filepath.Join(t.TempDir(), "firemode.db")
	s, err := sqlite.Open(t.Context(), sqlite.Config{Path: path, Now: now})
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	must(t, s.Migrate(t.Context()))
	return lockable{s, func(t *testing.T) func() {
		db, err := sql.Open("sqlite", "file:"+path)
		must(t, err)
		c, err := db.Conn(t.Context())
		must(t, err)
		_, err = c.ExecContext(t.Context(), "BEGIN IMMEDIATE")
		must(t, err)
		return func() {
			_, err := c.ExecContext(context.Background(), "ROLLBACK")
			must(t, err)
			must(t, c.Close())
			must(t, db.Close())
		}
	}}
}

func lockablePostgres(t *testing.T, now func() time.Time) lockable {
	url := pgtest.New(t)
	s, err := postgres.Open(t.Context(), postgres.Config{URL: url, Now: now})
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	return lockable{s, func(t *testing.T) func() {
		c, err := pgx.Connect(t.Context(), url)
		must(t, err)
		_, err = c.Exec(t.Context(), "BEGIN; LOCK TABLE sessions, audit_heads IN EXCLUSIVE MODE")
		must(t, err)
		return func() { must(t, c.Close(context.Background())) }
	}}
}

// queued is a kind of write, and the queue that it waits in.
type queued struct {
	queue  string
	status int
	// post is the nth request of the kind, as technician or manager; all have bodies of the same
	// length.
	post func(n int) (who, path, body string)
	// kept counts what is there of them.
	kept func(w *world) int
}

func queuedKinds() []queued {
	return []queued{
		{
			QueueResults, http.StatusOK,
			func(n int) (string, string, string) {
				return "tech1", "/v1/tests/sessions/s/results", fmt.Sprintf(`{"changes":[{"op":"set","path":"/x%02d","value":1}]}`, n)
			},
			func(w *world) int {
				document, _ := w.get(http.StatusOK, as("manager", "GET",
					"/v1/tests/sessions/s/results"))["document"].(map[string]any)
				return len(document)
			},
		},
		{
			QueueClassifications, http.StatusOK,
			func(int) (string, string, string) {
				return "tech1", "/v1/classify", `{"item_code":"AS1851-2012-FE-01","observed_condition":"pressure_low"}`
			},
			func(w *world) int {
				return strings.Count(w.do(as("tech1", "GET", "/v1/users/me/audits?limit=100")).Body.String(), `"classify"`)
			},
		},
		{
			httpkit.QueueDatabase, http.StatusCreated,
			func(n int) (string, string, string) {
				return "manager", "/v1/buildings", fmt.Sprintf(`{"site_name":"N%02d","site_address":"S"}`, n)
			},
			func(w *world) int {
				return strings.Count(w.do(as("manager", "GET", "/v1/buildings?q=N&limit=100")).Body.String(), `"N`)
			},
		},
	}
}

// only is the clock, or the machine's own for what is not tried.
func (j *jumping) only(tried bool) func() time.Time {
	if tried {
		return j.now
	}
	return time.Now
}

// queuesOn gives the queue that is tried the clock.
func queuesOn(t *testing.T, s store.Database, clock *jumping, tried string) func(*Config) {
	return func(c *Config) {
		var err error
		c.Services.Catalogue, err = catalogue.New(s,
			catalogue.Config{NewID: newID, Now: clock.only(tried == QueueClassifications)})
		must(t, err)
		t.Cleanup(c.Services.Catalogue.Close)
		_, key, err := ed25519.GenerateKey(rand.Reader)
		must(t, err)
		signer, err := ledger.NewSigner(key)
		must(t, err)
		c.Services.Merge, err = merge.New(s, merge.Config{
			Signer: signer, Now: clock.only(tried == QueueResults), Rules: c.Services.Catalogue,
			Consequences: []merge.Consequences{defects.Consequences{NewID: newID}},
		})
		must(t, err)
		t.Cleanup(c.Services.Merge.Close)
		c.Limits.Queues = map[string]func() time.Duration{
			QueueResults: c.Services.Merge.LongestWait, QueueClassifications: c.Services.Catalogue.Depth,
			httpkit.QueueDatabase: func() time.Duration { return s.Stats().Wait },
		}
	}
}

func heldUp(t *testing.T, w *world, s lockable, kind queued, clock *jumping) {
	var bodies bodyCounter
	server := serve(t, bodies.around(w))
	before := kind.kept(w)
	release := s.hold(t)
	release = onceAtEnd(t, release)
	const taken = 20 // more than there are connections for
	answers := make(chan int, taken)
	for n := range taken {
		go func() { answers <- w.postTo(server, kind, n) }()
		eventually(t, "the body has been read", func() bool { return bodies.read.Load() == int64(n+1) })
	}
	depth := w.config.Limits.Queues[kind.queue]
	eventually(t, "one waits", func() bool { return depth() > 0 })
	if d := depth(); d > time.Minute {
		t.Fatalf("depth %s before the clock was moved", d)
	}
	clock.jump(time.Hour)
	w.isShed(t, server, kind, true)
	w.isShed(t, server, kind, false)
	if got := kind.kept(w); got != before { // reading goes on
		t.Errorf("%d are there while nothing can be written, want %d", got, before)
	}
	release()
	for range taken {
		if status := <-answers; status != kind.status {
			t.Errorf("status %d for what had been taken, want %d", status, kind.status)
		}
	}
	if got := kind.kept(w); got != before+taken {
		t.Errorf("%d are there, want the %d that were taken", got, before+taken)
	}
	if status := w.postTo(server, kind, taken); status != kind.status {
		t.Errorf("status %d when nothing waits any more, want %d", status, kind.status)
	}
	if shed := w.seen.Shed(); !slices.Equal(shed, []string{kind.queue, kind.queue}) {
		t.Errorf("shed for %q, want twice for %s", shed, kind.queue)
	}
}

// bodyCounter counts the bodies of requests that have been read to their end.
type bodyCounter struct{ read atomic.Int64 }

// around returns next with the bodies of its requests counted.
func (c *bodyCounter) around(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r = r.WithContext(r.Context()) // a copy: net/http looks at the type of the body that it made
		r.Body = &countedBody{ReadCloser: r.Body, end: sync.OnceFunc(func() { c.read.Add(1) })}
		next.ServeHTTP(w, r)
	})
}

type countedBody struct {
	io.ReadCloser
	end func()
}

func (b *countedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF {
		b.end()
	}
	return n, err
}

func onceAtEnd(t *testing.T, f func()) func() {
	done := false
	once := func() {
		if !done {
			done = true
			f()
		}
	}
	t.Cleanup(once)
	return once
}

// head is a request up to its body.
func (w *world) head(kind queued, n int, more string) (head, body string) {
	who, path, body := kind.post(n)
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nIdempotency-Key: k%d\r\nContent-Type: %s\r\nContent-Length: %d\r\n%s\r\n",
		path, w.tokens[who], n, httpkit.MediaJSON, len(body), more), body
}

// postTo sends the nth request of a kind and returns the status of the answer.
func (w *world) postTo(server *httptest.Server, kind queued, n int) int {
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		return 0
	}
	defer conn.Close()
	head, body := w.head(kind, n, "")
	if _, err := io.WriteString(conn, head+body); err != nil {
		return 0
	}
	return httpkittest.ReadAnswer(w.t, conn).Code
}

// isShed wants a request to be refused: asked for its body it is never, and if it has sent it the
// connection can be used on.
func (w *world) isShed(t *testing.T, server *httptest.Server, kind queued, expecting bool) {
	t.Helper()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	must(t, err)
	defer conn.Close()
	sent, body := w.head(kind, 99, "")
	sent += body
	if expecting {
		sent, _ = w.head(kind, 99, "Expect: 100-continue\r\n")
	}
	_, err = io.WriteString(conn, sent)
	must(t, err)
	rec := httpkittest.ReadAnswer(t, conn) // 100 would be an answer too
	p := httpkittest.WantProblem(t, rec, http.StatusServiceUnavailable)
	if !p.Retryable || rec.Header().Get("Retry-After") != "30" {
		t.Errorf("retryable %v, Retry-After %q, want true and the most there is, 30", p.Retryable,
			rec.Header().Get("Retry-After"))
	}
	if expecting {
		return
	}
	_, err = io.WriteString(conn, "GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
	must(t, err)
	if rec := httpkittest.ReadAnswer(t, conn); rec.Code != http.StatusOK {
		t.Errorf("status %d on the same connection", rec.Code)
	}
}

// eventually waits for what must come about.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	deadline, again := time.After(30*time.Second), time.NewTicker(time.Millisecond)
	defer again.Stop()
	for !is() {
		select {
		case <-again.C:
		case <-deadline:
			t.Fatalf("it never came about that %s", what)
		}
	}
}

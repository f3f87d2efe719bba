package httpapi

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"go.opentelemetry.io/otel/trace"
	proto "go.opentelemetry.io/proto/otlp/trace/v1"

	"firemode"
	"firemode/internal/store"
	"firemode/internal/store/postgres"
	"firemode/internal/store/sqlite"
	"firemode/internal/store/storetest/pgtest"
	"firemode/internal/telemetry"
	"firemode/internal/telemetry/otlptest"
)

// TestSpans_Tree: one trace from the request to the COMMIT. The first request of a kind warms up
// what is read once.
func TestSpans_Tree(t *testing.T) {
	t.Parallel()
	traced(t, func(t *testing.T, v *visit, c *otlptest.Collector) {
		engine := filepath.Base(t.Name())
		for name, q := range map[string]func(int) request{
			"results": func(n int) request {
				q := as("tech1", "POST", v.path("/results"), batch{client: "phone", number: int64(n), changes: []string{
					set(gauge+"pressure_low", fmt.Sprint(n == 2)), set("/notes/weather", `"rain"`),
				}}.String())
				q.header = map[string]string{"Idempotency-Key": fmt.Sprint("results ", n)}
				return q
			},
			"classify": func(int) request {
				return as("tech1", "POST", "/v1/classify", `{"item_code":"AS1851-2012-FE-01","observed_condition":"pressure_low"}`)
			},
			"bundle":  func(int) request { return as("tech1", "GET", v.path("/offline_bundle")) },
			"missing": func(int) request { return as("tech1", "GET", "/v1/tests/sessions/none") },
		} {
			for n := range 2 {
				q := q(n + 1)
				if q.header == nil {
					q.header = map[string]string{}
				}
				q.header["X-Request-ID"] = fmt.Sprint(name, "-", n+1)
				v.do(q)
			}
			golden(t, name+"_"+engine+".txt", otlptest.Tree(traceOf(t, c, name+"-2"), keyAttributes()...))
		}
	})
}

// TestSpans_HoldNoInput: neither the values of statements nor tokens, paths or bodies, also when a
// statement fails.
func TestSpans_HoldNoInput(t *testing.T) {
	t.Parallel()
	traced(t, func(t *testing.T, v *visit, c *otlptest.Collector) {
		post := as("tech1", "POST", v.path("/results?sesame-query=1"),
			batch{client: "sesame-client", changes: []string{set("/sesame-path", `"sesame-value"`)}}.String())
		post.header = map[string]string{"Idempotency-Key": "sesame-key", "X-Request-ID": "posted"}
		v.get(http.StatusOK, post)
		again := as("manager", "POST", "/v1/buildings",
			`{"building_id":"sesame-building","site_name":"sesame-name","site_address":"S"}`)
		v.get(http.StatusCreated, again)
		again.body = strings.Replace(again.body, "sesame-name", "sesame-other", 1)
		again.header = map[string]string{"X-Request-ID": "refused"}
		v.get(http.StatusConflict, again)
		v.do(request{
			method: "POST", path: "/v1/auth/login",
			body: `{"username":"sesame-user","password":"sesame-password"}`, header: map[string]string{"X-Request-ID": "login"},
		})
		v.do(request{as: "tech1", method: "GET", path: "/sesame-place", header: map[string]string{"X-Request-ID": "lost"}})
		if spans := traceOf(t, c, "refused"); !strings.Contains(otlptest.Tree(spans), "ERROR") {
			t.Errorf("no statement of the refused request failed:\n%s", otlptest.Tree(spans))
		}
		for _, id := range []string{"posted", "login", "lost"} {
			traceOf(t, c, id)
		}
		statements := 0
		for _, s := range c.Spans() {
			text := fmt.Sprint(s)
			for _, secret := range []string{"sesame", v.tokens["tech1"], v.tokens["manager"], password, "tech1"} {
				if strings.Contains(text, secret) {
					t.Errorf("%q is in a span: %s", secret, text)
				}
			}
			if query := otlptest.Attributes(s)["db.query.text"]; query != "" {
				statements++
			}
		}
		if statements == 0 {
			t.Error("no span holds the text of a statement")
		}
	})
}

// TestSpans_EveryRequestLeadsToItsCommit: whichever requests share a group, and groups a commit,
// from each of them a COMMIT is found, by way of children and links.
func TestSpans_EveryRequestLeadsToItsCommit(t *testing.T) {
	t.Parallel()
	const requests = 24
	traced(t, func(t *testing.T, v *visit, c *otlptest.Collector) {
		var all sync.WaitGroup
		for i := range requests {
			q := as("tech1", "POST", "/v1/classify", `{"item_code":"AS1851-2012-FE-01","observed_condition":"pressure_low"}`)
			q.header = map[string]string{"X-Request-ID": fmt.Sprint("r", i)}
			if i%2 == 0 {
				q = as("tech1", "POST", v.path("/results"),
					batch{client: fmt.Sprint("phone", i), number: 1, changes: []string{set("/notes", `"x"`)}}.String())
				q.header = map[string]string{"X-Request-ID": fmt.Sprint("r", i), "Idempotency-Key": fmt.Sprint("key ", i)}
			}
			all.Go(func() {
				if rec := v.do(q); rec.Code != http.StatusOK {
					t.Errorf("request %d: %d %s", i, rec.Code, rec.Body)
				}
			})
		}
		all.Wait()
		for i := range requests {
			traceOf(t, c, fmt.Sprint("r", i))
		}
		spans := c.Spans()
		for i := range requests {
			if id := fmt.Sprint("r", i); !leadsTo(spans, id, "COMMIT") {
				t.Errorf("no COMMIT is found from request %s:\n%s", id, otlptest.Tree(traceOf(t, c, id)))
			}
		}
	})
}

// TestSpans_ContinueTheCallersTrace: its id is on the answer, in the log and in an error, and its
// decision to sample or not is followed.
func TestSpans_ContinueTheCallersTrace(t *testing.T) {
	t.Parallel()
	collector := otlptest.New(t)
	traces := tracing(t, collector)
	w := newWorld(t, func(c *Config) { c.Report.Traces = traces })
	const id, caller = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	send := func(requestID, flags string) *httptest.ResponseRecorder {
		return w.do(request{as: "admin", method: "GET", path: "/v1/users/me", header: map[string]string{
			"Traceparent": "00-" + id + "-" + caller + "-" + flags, "Tracestate": "vendor=1", "X-Request-ID": requestID,
		}})
	}
	quiet := send("quiet", "00").Header().Get("Traceresponse")
	heard := send("heard", "01").Header().Get("Traceresponse")
	if !strings.HasPrefix(quiet, "00-"+id+"-") || !strings.HasSuffix(quiet, "-00") {
		t.Errorf("answered %q to a trace that is not sampled", quiet)
	}
	if !strings.HasPrefix(heard, "00-"+id+"-") || !strings.HasSuffix(heard, "-01") || strings.Contains(heard, caller) {
		t.Errorf("answered %q to a trace that is sampled", heard)
	}
	spans := traceOf(t, collector, "heard")
	if s := spans[0]; fmt.Sprintf("%x", s.GetParentSpanId()) != caller || s.GetTraceState() != "vendor=1" ||
		s.GetName() != "GET /v1/users/me" {
		t.Errorf("the span is %v", s)
	}
	for _, s := range collector.Spans() {
		if otlptest.Attributes(s)["firemode.transaction_id"] == "quiet" {
			t.Errorf("a span of a trace that is not sampled was sent: %v", s)
		}
	}
	for _, requestID := range []string{"quiet", "heard"} {
		if want := "transaction_id=" + requestID + " trace_id=" + id; !strings.Contains(w.logs.String(), want) {
			t.Errorf("the log lacks %q:\n%s", want, w.logs)
		}
	}
	for flags, as := range map[string]*world{"00": w, "01": w, "": newWorld(t)} {
		refused := as.do(request{
			as: "admin", method: "GET", path: "/v1/buildings/none",
			header: map[string]string{"Traceparent": "00-" + id + "-" + caller + "-" + flags},
		})
		var p struct {
			TraceID *string `json:"trace_id"`
		}
		must(t, json.Unmarshal(refused.Body.Bytes(), &p))
		if off := as != w; refused.Code != http.StatusNotFound || (p.TraceID == nil) != off || !off && *p.TraceID != id {
			t.Errorf("tracing off %v: the error is %s", off, refused.Body)
		}
	}
}

// TestSpans_Probes_NotTraced: nobody looks at their traces, and they come every few seconds.
func TestSpans_Probes_NotTraced(t *testing.T) {
	t.Parallel()
	collector := otlptest.New(t)
	traces := tracing(t, collector)
	w := newWorld(t, func(c *Config) { c.Report.Traces = traces })
	for _, path := range []string{"/health", "/health/ready/", "/health/live", "/metrics"} {
		if got := w.do(request{method: "GET", path: path}).Header().Get("Traceresponse"); got != "" {
			t.Errorf("%s has the trace %s", path, got)
		}
	}
	w.do(request{method: "GET", path: "/none", header: map[string]string{"X-Request-ID": "none"}})
	if spans := traceOf(t, collector, "none"); len(spans) != 1 || spans[0].GetName() != "GET" {
		t.Errorf("an unknown path has the spans\n%s", otlptest.Tree(spans))
	}
}

// TestSpans_Failure_Error: but what the caller did wrong is not.
func TestSpans_Failure_Error(t *testing.T) {
	t.Parallel()
	collector := otlptest.New(t)
	traces := tracing(t, collector)
	w := newFailing(t, nil, func(c *Config) { c.Report.Traces = traces })
	w.do(request{method: "POST", path: "/test/panic", header: map[string]string{"X-Request-ID": "ours"}})
	w.do(request{method: "GET", path: "/v1/users/me", header: map[string]string{"X-Request-ID": "theirs"}})
	want := map[string]string{
		"ours":   "POST /test/{name} (server) ERROR http.response.status_code=500 error.type=500\n",
		"theirs": "GET /v1/users/me (server) http.response.status_code=401\n",
	}
	for id, tree := range want {
		if got := otlptest.Tree(traceOf(t, collector, id), "http.response.status_code", "error.type"); got != tree {
			t.Errorf("%s: %s want %s", id, got, tree)
		}
	}
}

var trees = flag.Bool("trees", false, "write the trees of spans in testdata/traces")

// tracing sends spans to collector at once. env is NAME=VALUE.
func tracing(t testing.TB, collector *otlptest.Collector, env ...string) *telemetry.Tracing {
	t.Helper()
	variables := map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT": "http://" + collector.Address,
		"OTEL_BSP_SCHEDULE_DELAY":     "10", "OTEL_BSP_MAX_QUEUE_SIZE": "100000",
	}
	for _, entry := range env {
		name, value, _ := strings.Cut(entry, "=")
		variables[name] = value
	}
	log, err := telemetry.NewLogger(t.Output(), "text", "debug")
	must(t, err)
	traces, err := telemetry.NewTracing(t.Context(), telemetry.TracingConfig{
		Getenv: func(name string) string { return variables[name] }, Version: "test", Logger: log, Now: time.Now,
	})
	must(t, err)
	t.Cleanup(func() { must(t, traces.Shutdown(context.Background())) })
	return traces
}

// traced runs test on a world whose spans come to a collector, on each engine. There is a session
// "s1" with an extinguisher.
func traced(t *testing.T, test func(*testing.T, *visit, *otlptest.Collector)) {
	t.Helper()
	for engine, open := range map[string]func(*testing.T,
		trace.TracerProvider) store.Database{"sqlite": openTracedSQLite, "postgres": openTracedPostgres} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			collector := otlptest.New(t)
			traces := tracing(t, collector)
			s := open(t, traces)
			w := newWorldOn(t, s, tracedOn(t, s, traces))
			w.staff("tech1", firemode.RoleTechnician)
			w.get(http.StatusCreated, as("manager", "POST", "/v1/buildings",
				`{"building_id":"b","site_name":"B","site_address":"S"}`))
			w.get(http.StatusCreated, as("manager", "POST", "/v1/buildings/b/assets",
				`{"asset_id":"FE-1","asset_type":"extinguisher_powder"}`))
			test(t, &visit{world: w, id: w.session(t, "s1")}, collector)
		})
	}
}

func openTracedSQLite(t *testing.T, traces trace.TracerProvider) store.Database {
	s, err := sqlite.Open(t.Context(), sqlite.Config{Path: filepath.Join(t.TempDir(), "firemode.db"), Traces: traces})
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	must(t, s.Migrate(t.Context()))
	return s
}

func openTracedPostgres(t *testing.T, traces trace.TracerProvider) store.Database {
	s, err := postgres.Open(t.Context(), postgres.Config{URL: pgtest.New(t), Traces: traces})
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	return s
}

// traceOf waits for the trace of a request that was answered with that X-Request-ID, and returns
// its spans. The span of the request is the last of them to end, so that the others are there when
// it is.
func traceOf(t *testing.T, c *otlptest.Collector, requestID string) (spans []*proto.Span) {
	t.Helper()
	var id string
	all := c.Wait(t, func(all []*proto.Span) bool {
		for _, s := range all {
			if otlptest.Attributes(s)["firemode.transaction_id"] == requestID {
				id = otlptest.TraceID(s)
			}
		}
		return id != ""
	})
	for _, s := range all {
		// Whether a connection has prepared a statement before depends on which connection of the
		// pool it is.
		if otlptest.TraceID(s) == id && !strings.HasPrefix(s.GetName(), "PREPARE ") && s.GetName() != "connect" {
			spans = append(spans, s)
		}
	}
	return spans
}

// golden holds a tree against its file.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", "traces", name)
	if *trees {
		must(t, os.MkdirAll(filepath.Dir(file), 0o755))
		must(t, os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	must(t, err)
	if !bytes.Equal(want, []byte(got)) {
		t.Errorf("%s is not what came; if that is right, run go test ./internal/httpapi -run Tree -trees. It came:\n%s",
			file, got)
	}
}

func keyAttributes() []string {
	return []string{
		"http.request.method", "http.route", "http.response.status_code", "firemode.group.size", "firemode.batches",
		"firemode.changes",
		"firemode.bundle.made", "db.system.name", "db.operation.batch.size",
	}
}

// leadsTo follows children and links from the request with that id to a span of that name.
func leadsTo(spans []*proto.Span, requestID, name string) bool {
	var next []*proto.Span
	for _, s := range spans {
		if otlptest.Attributes(s)["firemode.transaction_id"] == requestID {
			next = append(next, s)
		}
	}
	seen := map[string]bool{}
	for len(next) > 0 {
		at := next[0]
		next = next[1:]
		if at.GetName() == name {
			return true
		}
		if seen[string(at.GetSpanId())] {
			continue
		}
		seen[string(at.GetSpanId())] = true
		for _, s := range spans {
			// What is shared links back to those who share it, which is not the way to the commit.
			onward := strings.HasSuffix(s.GetName(), " group") || s.GetName() == "transaction"
			linked := onward && at.GetName() != "transaction" &&
				slices.ContainsFunc(at.GetLinks(), func(l *proto.Span_Link) bool {
					return bytes.Equal(l.GetSpanId(),
						s.GetSpanId())
				})
			if linked || bytes.Equal(s.GetParentSpanId(), at.GetSpanId()) {
				next = append(next, s)
			}
		}
	}
	return false
}

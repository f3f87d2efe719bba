package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/textproto"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"firemode"
	"firemode/client"
	"firemode/internal/app"
	"firemode/internal/record/crdt"
	"firemode/internal/record/merge"
	"firemode/internal/seed"
	"firemode/internal/store"
	"firemode/internal/store/storetest/pgtest"
	"firemode/internal/telemetry"
	"firemode/internal/telemetry/otlptest"
	"firemode/test/ratio"
)

// TestHTTPCost limits the cost of a result over HTTP relative to its group commit, in one session
// with 64 concurrent writers.
func TestHTTPCost(t *testing.T) {
	onEngines(t, func(t *testing.T, engine string, empty func() string) {
		direct := directly(t, empty())
		over := overHTTP(t, startDemo(t, empty()), result)
		ratio.Judge(
			t,
			ratio.Pair{
				Name:  engine + ": a result over HTTP, in group commits without",
				Limit: 2,
				Dear:  over,
				Cheap: direct,
			},
		)
	})
}

// TestTracingCost limits the cost of results and classifications with traces relative to those
// without.
func TestTracingCost(t *testing.T) {
	onEngines(t, func(t *testing.T, engine string, empty func() string) {
		plain, sink := startDemo(t, empty(), "OTEL_SDK_DISABLED=true"), otlptest.NewSink(t)
		for _, share := range []struct {
			name, ratio string
			limit       float64
		}{{"10 %", "0.1", 1 / 0.85}, {"100 %", "1", 2}} {
			before := sink.Exports()
			traced := startDemo(
				t,
				empty(),
				"OTEL_TRACES_SAMPLER=parentbased_traceidratio",
				"OTEL_TRACES_SAMPLER_ARG="+share.ratio,
				"OTEL_EXPORTER_OTLP_ENDPOINT=http://"+sink.Address,
			)
			for name, q := range map[string]asked{"a result": result, "a classification": classification} {
				ratio.Judge(t, ratio.Pair{
					Name: engine + ": " + name + " with " + share.name + " traced, in those without", Limit: share.limit,
					Rounds: 7, Dear: overHTTP(t, traced, q), Cheap: overHTTP(t, plain, q),
				})
			}
			if sink.Exports() == before {
				t.Errorf("with %s traced no trace was sent", share.name)
			}
		}
	})
}

// TestMetricsCost limits the cost of the metrics of a result relative to the result. Metrics are
// never off, so they are measured alone.
func TestMetricsCost(t *testing.T) {
	ratio.Wanted(t)
	metrics, err := telemetry.NewMetrics(telemetry.Config{})
	must(t, err)
	observe := func() {
		metrics.ObserveRequest(
			t.Context(), http.MethodPost, "/v1/tests/sessions/{id}/results", http.StatusOK, 3*time.Millisecond,
		)
		metrics.Synced(t.Context(), "loadtest", 3*time.Millisecond)
		metrics.ConflictArose("123")
		metrics.GroupCommitted("results", 1)
		metrics.GroupCommitted("writer", 1)
	}
	ratio.Judge(t, ratio.Pair{
		Name: "the metrics of a result, in results", Limit: 0.05,
		Dear: func() time.Duration { return ratio.Timed(10_000, observe) }, Cheap: overHTTP(t, startDemo(t, ""), result),
	})
}

const (
	atOnce  = 64
	inRound = 3000
)

// onEngines measures on each engine with a new database.
func onEngines(t *testing.T, measure func(t *testing.T, engine string, empty func() (dbURL string))) {
	ratio.Wanted(t)
	t.Run("sqlite", func(t *testing.T) { measure(t, "sqlite", func() string { return "" }) })
	t.Run("postgres", func(t *testing.T) { measure(t, "postgres", func() string { return pgtest.Empty(t) }) })
}

// asked is a POST; %d in its body is a number that is unique in each request.
type asked struct{ path, body string }

var (
	result = asked{
		"/v1/tests/sessions/123/results",
		`{"changes":[{"op":"set","path":"/test","value":%d}],"_sync_meta":{"vector_clock":{}}}`,
	}
	classification = asked{
		"/v1/classify",
		`{"item_code":"AS1851-2012-FE-01","observed_condition":"pressure_low","note":%d}`,
	}
)

// directly returns the cost of one result through the service, without HTTP.
func directly(t *testing.T, dbURL string) func() time.Duration {
	metrics, err := telemetry.NewMetrics(telemetry.Config{})
	must(t, err)
	w, err := app.Open(t.Context(), app.Storage{Data: t.TempDir(), DBURL: dbURL}, app.Deps{
		Now: time.Now, Logger: slog.New(slog.DiscardHandler), Metrics: metrics,
	})
	must(t, err)
	t.Cleanup(func() { must(t, w.Close()) })
	must(t, w.Prepare(t.Context()))
	must(t, w.FillDemo(t.Context(), func(string) {}))
	var writers []firemode.Principal
	for _, name := range resultWriters() {
		var u firemode.User
		must(t, w.Store.View(t.Context(), func(tx store.ReadTx) (err error) {
			u, err = store.As[store.UserReader](tx).UserByName(t.Context(), name)
			return err
		}))
		writers = append(writers, firemode.Principal{Org: u.Org, User: u.ID, Name: u.Username, Role: u.Role})
	}
	var n atomic.Int64
	return func() time.Duration {
		return together(func(int) error {
			i := n.Add(1)
			changes, err := crdt.ParseChanges(
				[]jsontext.Value{jsontext.Value(fmt.Sprintf(`{"op":"set","path":"/test","value":%d}`, i))},
			)
			if err != nil {
				return err
			}
			ctx := firemode.WithPrincipal(t.Context(), writers[i%int64(len(writers))])
			_, _, err = w.Merge.Submit(
				ctx, merge.Submission{Session: "123", Key: fmt.Sprint("direct ", i), Changes: changes},
			)
			return err
		}, t)
	}
}

// resultWriters returns the demo users who may submit results.
func resultWriters() []string {
	return []string{"tech1@demo", "tech2@demo", "engineer@demo", "manager@demo"}
}

// together runs inRound requests, atOnce of them concurrently, and returns the mean time of each.
// worker gets the number of its goroutine.
func together(worker func(int) error, t *testing.T) time.Duration {
	var left atomic.Int64
	left.Store(inRound)
	var workers sync.WaitGroup
	start := time.Now()
	for i := range atOnce {
		workers.Go(func() {
			for left.Add(-1) >= 0 {
				if err := worker(i); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	workers.Wait()
	return time.Since(start) / inRound
}

// demo is the program in its own process, with demo data in the database at dbURL, "" for SQLite.
type demo struct {
	addr   string
	tokens []string
	sent   *atomic.Int64 // requests so far: each is a new one, which no stored answer fits
}

func startDemo(t *testing.T, dbURL string, env ...string) demo {
	t.Helper()
	program := exec.Command("firemode", "demo", "--addr", "127.0.0.1:0", "--data", t.TempDir(), "--log-level", "warn")
	program.Env = append(append(program.Environ(), "FIREMODE_DB_URL="+dbURL), env...)
	out, err := program.StdoutPipe()
	must(t, err)
	must(t, program.Start())
	t.Cleanup(func() {
		must(t, program.Process.Kill())
		program.Wait() //nolint:errcheck // it was killed
	})
	lines := bufio.NewReader(out)
	d := demo{sent: new(atomic.Int64)}
	for d.addr == "" {
		line, err := lines.ReadString('\n')
		must(t, err)
		d.addr, _ = strings.CutPrefix(strings.TrimSpace(line), "listening on http://")
		if !strings.HasPrefix(line, "listening on") {
			d.addr = ""
		}
	}
	go io.Copy(io.Discard, lines) //nolint:errcheck // the greeting
	for _, name := range resultWriters() {
		c, err := client.New(client.Config{BaseURL: "http://" + d.addr})
		must(t, err)
		must(t, c.Login(t.Context(), name, seed.Password))
		d.tokens = append(d.tokens, c.Tokens().Access)
	}
	return d
}

// overHTTP returns the cost of one POST of q over persistent connections.
func overHTTP(t *testing.T, d demo, q asked) func() time.Duration {
	type wire struct {
		net.Conn
		in *textproto.Reader
	}
	wires := make([]wire, atOnce)
	for i := range wires {
		c, err := net.Dial("tcp", d.addr)
		must(t, err)
		t.Cleanup(func() { c.Close() })
		wires[i] = wire{c, textproto.NewReader(bufio.NewReader(c))}
	}
	return func() time.Duration {
		return together(func(worker int) error {
			i := d.sent.Add(1)
			var post bytes.Buffer
			text := fmt.Sprintf(q.body, i)
			fmt.Fprintf(
				&post,
				"POST %s HTTP/1.1\r\nHost: firemode\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n",
				q.path, d.tokens[i%int64(len(d.tokens))],
			)
			fmt.Fprintf(&post, "Idempotency-Key: %s %d\r\nContent-Length: %d\r\n\r\n%s", t.Name(), i, len(text), text)
			if _, err := wires[worker].Write(post.Bytes()); err != nil {
				return err
			}
			return answered(wires[worker].in)
		}, t)
	}
}

// answered reads a response to its end.
func answered(in *textproto.Reader) error {
	status, err := in.ReadLine()
	if err != nil {
		return err
	}
	header, err := in.ReadMIMEHeader()
	if err != nil {
		return err
	}
	length, err := strconv.Atoi(header.Get("Content-Length"))
	if err != nil {
		return fmt.Errorf("%s without a length", status)
	}
	if _, err := in.R.Discard(length); err != nil {
		return err
	}
	if !strings.HasPrefix(status, "HTTP/1.1 200") {
		return fmt.Errorf("answered %s", status)
	}
	return nil
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

package telemetry

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/trace"
	proto "go.opentelemetry.io/proto/otlp/trace/v1"

	"firemode"
	"firemode/internal/telemetry/otlptest"
)

func TestTracing_SpansExported(t *testing.T) {
	collector := otlptest.New(t)
	traces, _ := startTracing(t, "OTEL_EXPORTER_OTLP_ENDPOINT=http://"+collector.Address)
	sent := one(traces, "parent")
	spans := collector.Wait(t, has(2))
	if got := otlptest.Tree(spans); got != "parent (internal)\n  child (internal)\n" ||
		otlptest.TraceID(spans[0]) != sent.TraceID().String() {
		t.Errorf("came:\n%s", got)
	}
	from := collector.Resource()
	if from["service.name"] != "firemode" || from["service.version"] != "1.2.3" ||
		from["telemetry.sdk.language"] != "go" {
		t.Errorf("it describes itself as %v", from)
	}
	shutdown(t, traces)
}

func TestShutdown_RemainingSpansExported(t *testing.T) {
	collector := otlptest.New(t)
	traces, _ := startTracing(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+collector.Address, "OTEL_BSP_SCHEDULE_DELAY=3600000")
	one(traces, "parent")
	shutdown(t, traces)
	if n := len(collector.Spans()); n != 2 {
		t.Errorf("%d spans came, want 2", n)
	}
}

func TestTracing_ResourceVariables(t *testing.T) {
	collector := otlptest.New(t)
	traces, out := startTracing(
		t,
		"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://"+collector.Address,
		"OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:1",
		"OTEL_SERVICE_NAME=other",
		"OTEL_RESOURCE_ATTRIBUTES=service.name=lost,deployment.environment.name=test%20site,broken",
	)
	one(traces, "parent")
	collector.Wait(t, has(2))
	from := collector.Resource()
	if from["service.name"] != "other" || from["deployment.environment.name"] != "test site" ||
		from["service.version"] != "1.2.3" {
		t.Errorf("it describes itself as %v", from)
	}
	if !strings.Contains(out.String(), "variable=OTEL_RESOURCE_ATTRIBUTES") {
		t.Errorf("nothing is said of the broken one: %s", out)
	}
	shutdown(t, traces)
}

// Trace ids are random: for 0.25, a count outside 1500 to 2500 of 8000 is 20 standard deviations
// away.
func TestTracing_SamplerVariables(t *testing.T) {
	for _, c := range []struct {
		env         []string
		least, most int
		warned      string
	}{
		{nil, 8000, 8000, ""},
		{[]string{"OTEL_TRACES_SAMPLER=always_off"}, 0, 0, ""},
		{[]string{"OTEL_TRACES_SAMPLER=parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG=0.25"}, 1500, 2500, ""},
		{[]string{"OTEL_TRACES_SAMPLER=traceidratio", "OTEL_TRACES_SAMPLER_ARG=0.25"}, 1500, 2500, ""},
		{[]string{"OTEL_TRACES_SAMPLER=traceidratio", "OTEL_TRACES_SAMPLER_ARG=1.5"}, 8000, 8000, "OTEL_TRACES_SAMPLER_ARG"},
		{[]string{"OTEL_TRACES_SAMPLER=sometimes"}, 8000, 8000, "OTEL_TRACES_SAMPLER"},
		{[]string{"OTEL_TRACES_EXPORTER=none"}, 0, 0, ""},
		{[]string{"OTEL_TRACES_EXPORTER=zipkin"}, 8000, 8000, "OTEL_TRACES_EXPORTER"},
	} {
		collector := otlptest.New(t)
		traces, out := startTracing(t, append(c.env, "OTEL_EXPORTER_OTLP_ENDPOINT=http://"+collector.Address)...)
		sampled := 0
		for range 8000 {
			sc := one(traces, "parent")
			if sc.IsSampled() {
				sampled++
			}
			if !sc.IsValid() {
				t.Fatalf("%v: a trace without an id", c.env)
			}
		}
		if sampled < c.least || sampled > c.most {
			t.Errorf("%v: %d of 8000 are sampled, want %d to %d", c.env, sampled, c.least, c.most)
		}
		if strings.Contains(out.String(), "invalid variable ignored") != (c.warned != "") ||
			!strings.Contains(out.String(), c.warned) {
			t.Errorf("%v: log %s, want %q", c.env, out, c.warned)
		}
		shutdown(t, traces)
	}
}

func TestTracing_Disabled_NoSpans(t *testing.T) {
	collector := otlptest.New(t)
	traces, _ := startTracing(t, "OTEL_EXPORTER_OTLP_ENDPOINT=http://"+collector.Address, "OTEL_SDK_DISABLED=true")
	if one(traces, "parent").IsValid() {
		t.Error("there is a trace")
	}
	shutdown(t, traces)
	if n := len(collector.Spans()); n != 0 {
		t.Errorf("%d spans came", n)
	}
}

func TestTracer_UnsampledParent_NoSpanCreated(t *testing.T) {
	traces, _ := startTracing(t, "OTEL_TRACES_SAMPLER=always_off")
	defer shutdown(t, traces)
	tracer := traces.Tracer("test")
	ctx, _ := tracer.Start(t.Context(), "request")
	if n := testing.AllocsPerRun(100, func() {
		_, span := tracer.Start(ctx, "part")
		span.End()
	}); n != 0 {
		t.Errorf("a part of a request that is not sampled allocates %v times", n)
	}
}

// Without a collector, one trace per second is kept and the log warns once. A collector that starts
// gets traces.
func TestDelivery_CollectorUnavailable_OneTraceASecond(t *testing.T) {
	address := unused(t)
	traces, out := startTracing(t, "OTEL_EXPORTER_OTLP_ENDPOINT=http://"+address)
	one(traces, "first")
	<-out.written
	one(traces, "probe")
	sampled := 0
	began := time.Now()
	for range 1000 {
		if one(traces, "dropped").IsSampled() {
			sampled++
		}
	}
	if most := 1 + int(time.Since(began)/probeInterval); sampled > most {
		t.Errorf("%d traces were kept, want at most %d", sampled, most)
	}
	if n := strings.Count(out.String(), "traces cannot be delivered"); n != 1 {
		t.Errorf("%d lines in the log, want 1: %s", n, out)
	}
	collector := otlptest.NewAt(t, address)
	collector.Wait(t, func(spans []*proto.Span) bool { return len(otlptest.Named(spans, "probe")) == 1 })
	for !strings.Contains(out.String(), "delivered again") {
		<-out.written
	}
	for range 2 { // the first could be the one of this second
		if !one(traces, "after").IsSampled() {
			t.Error("traces are still dropped")
		}
	}
	shutdown(t, traces)
}

// A configured collector that is unavailable is logged repeatedly. The absence of an unconfigured
// one is logged once.
func TestDelivery_Warnings_OncePerInterval(t *testing.T) {
	for expected, want := range map[bool]string{true: "level=WARN level=WARN", false: "level=INFO"} {
		now := time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC)
		var out bytes.Buffer
		d := &delivery{
			log:      slog.New(slog.NewTextHandler(&out, nil)),
			now:      func() time.Time { return now },
			expected: expected,
		}
		for range 10 {
			d.warn(errors.New("away"), 1)
			now = now.Add(time.Minute)
		}
		if got := strings.Join(regexp.MustCompile("level=[A-Z]+").FindAllString(out.String(), -1), " "); got != want {
			t.Errorf("expected %v: %s, want %s", expected, out.String(), want)
		}
	}
}

func TestShutdown_CollectorUnavailable_Immediate(t *testing.T) {
	traces, _ := startTracing(t, "OTEL_EXPORTER_OTLP_ENDPOINT=http://"+unused(t))
	one(traces, "parent")
	began := time.Now()
	shutdown(t, traces)
	if took := time.Since(began); took >= shutdownTimeout {
		t.Errorf("it took %s", took)
	}
}

func TestShutdown_CollectorHangs_TwoSeconds(t *testing.T) {
	collector := otlptest.New(t)
	release := collector.Hold()
	defer release()
	traces, _ := startTracing(
		t,
		"OTEL_EXPORTER_OTLP_ENDPOINT=http://"+collector.Address,
		"OTEL_BSP_MAX_QUEUE_SIZE=4",
		"OTEL_BSP_MAX_EXPORT_BATCH_SIZE=2",
	)
	for range 1000 { // the queue is full many times over: this must not block
		one(traces, "parent")
	}
	collector.Wait(t, has(2))
	if err := traces.Shutdown(context.Background()); err == nil ||
		!strings.Contains(err.Error(), "the last traces were not delivered") {
		t.Errorf("shutdown: %v", err)
	}
}

func TestEndpoint_AddressAndTLS(t *testing.T) {
	for _, c := range []struct {
		endpoint, insecure, address string
		plain                       bool
	}{
		{"", "", "localhost:4317", true},
		{"", "false", "localhost:4317", false},
		{"http://collector:1234", "", "collector:1234", true},
		{"http://collector", "false", "collector:4317", true},
		{"https://collector:1234/", "true", "collector:1234", false},
		{"collector:1234", "", "collector:1234", false},
		{"collector:1234", "true", "collector:1234", true},
		{"127.0.0.1:1234", "", "127.0.0.1:1234", true},
		{"[::1]:1234", "", "[::1]:1234", true},
		{"ftp://collector", "", "localhost:4317", true},
	} {
		log, err := NewLogger(&bytes.Buffer{}, "text", "info")
		if err != nil {
			t.Fatal(err)
		}
		env := environment{log: log, get: func(name string) string {
			return map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": c.endpoint, "OTEL_EXPORTER_OTLP_INSECURE": c.insecure}[name]
		}}
		if address, plain := env.endpoint(); address != c.address || plain != c.plain {
			t.Errorf(
				"%q, insecure %q: %s, plain %v, want %s, %v", c.endpoint, c.insecure, address, plain, c.address,
				c.plain,
			)
		}
	}
}

func TestNewTracing_UnreadableCertificate_Error(t *testing.T) {
	log, err := NewLogger(&bytes.Buffer{}, "text", "info")
	if err != nil {
		t.Fatal(err)
	}
	_, err = NewTracing(t.Context(), TracingConfig{Logger: log, Now: time.Now, Getenv: func(name string) string {
		return map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "https://collector", "OTEL_EXPORTER_OTLP_CERTIFICATE": "/nowhere"}[name]
	}})
	if err == nil || !strings.Contains(err.Error(), "OTEL_EXPORTER_OTLP_CERTIFICATE") {
		t.Errorf("got %v", err)
	}
}

func TestLogger_RequestContext_TransactionAndTraceIDs(t *testing.T) {
	collector := otlptest.New(t)
	traces, out := startTracing(t, "OTEL_EXPORTER_OTLP_ENDPOINT=http://"+collector.Address)
	defer shutdown(t, traces)
	log, err := NewLogger(out, "text", "info")
	if err != nil {
		t.Fatal(err)
	}
	ctx, span := traces.Tracer("test").Start(firemode.WithRequestID(t.Context(), "req-1"), "request")
	log.With("part", "x").InfoContext(ctx, "inside")
	log.Info("outside")
	span.End()
	got := strings.Split(strings.TrimSpace(out.String()), "\n")
	want := "msg=inside part=x transaction_id=req-1 trace_id=" + span.SpanContext().TraceID().String()
	if !strings.HasSuffix(got[0], want) {
		t.Errorf("%q, want %s", got[0], want)
	}
	if !slices.ContainsFunc(got, func(line string) bool { return strings.HasSuffix(line, "msg=outside") }) {
		t.Errorf("a line outside of a request names one: %v", got)
	}
}

// lines collects the lines of a log.
type lines struct {
	mu      sync.Mutex
	text    bytes.Buffer
	written chan struct{}
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case l.written <- struct{}{}:
	default:
	}
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// startTracing calls NewTracing with env as NAME=VALUE. Batches are exported immediately.
func startTracing(t *testing.T, env ...string) (*Tracing, *lines) {
	t.Helper()
	out := &lines{written: make(chan struct{}, 1)}
	log, err := NewLogger(out, "text", "debug")
	if err != nil {
		t.Fatal(err)
	}
	variables := map[string]string{"OTEL_BSP_SCHEDULE_DELAY": "10"}
	for _, entry := range env {
		name, value, _ := strings.Cut(entry, "=")
		variables[name] = value
	}
	traces, err := NewTracing(t.Context(), TracingConfig{
		Getenv: func(name string) string { return variables[name] }, Version: "1.2.3", Logger: log, Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	return traces, out
}

func shutdown(t *testing.T, traces *Tracing) {
	t.Helper()
	if err := traces.Shutdown(context.Background()); err != nil {
		t.Error(err)
	}
}

// one records a trace of a parent and a child.
func one(traces *Tracing, name string) trace.SpanContext {
	tracer := traces.Tracer("test")
	ctx, parent := tracer.Start(context.Background(), name)
	_, child := tracer.Start(ctx, "child")
	child.End()
	parent.End()
	return parent.SpanContext()
}

func has(n int) func([]*proto.Span) bool {
	return func(spans []*proto.Span) bool { return len(spans) >= n }
}

// unused returns an address without a listener.
func unused(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

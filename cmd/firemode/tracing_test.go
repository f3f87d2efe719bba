package main

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	proto "go.opentelemetry.io/proto/otlp/trace/v1"

	"firemode/internal/telemetry/otlptest"
)

// The remaining spans are delivered at the stop, and the log names the trace.
func TestServe_Traces_Delivered(t *testing.T) {
	t.Parallel()
	collector := otlptest.New(t)
	s := startServerIn(
		t,
		[]string{
			"OTEL_EXPORTER_OTLP_ENDPOINT=http://" + collector.Address,
			"OTEL_SERVICE_NAME=tower",
			"OTEL_BSP_SCHEDULE_DELAY=3600000",
		},
	)
	logged := make(chan string)
	go func() {
		text, _ := io.ReadAll(s.log) // the pipe is closed when the program ends
		logged <- string(text)
	}()
	id := strings.Split(s.ask(t, "asked").Header.Get("Traceresponse"), "-")[1]
	s.stop()
	if err := <-s.result; err != nil {
		t.Fatal(err)
	}
	if want, text := "transaction_id=asked trace_id="+id, <-logged; !strings.Contains(text, want) {
		t.Errorf("the log lacks %q:\n%s", want, text)
	}
	spans := collector.Wait(
		t, func(all []*proto.Span) bool { return len(otlptest.Named(all, "POST /v1/auth/login")) > 0 },
	)
	root := otlptest.Named(spans, "POST /v1/auth/login")[0]
	if otlptest.TraceID(root) != id || collector.Resource()["service.name"] != "tower" {
		t.Errorf("trace %s of %v, want %s of tower", otlptest.TraceID(root), collector.Resource(), id)
	}
	if !strings.Contains(otlptest.Tree(spans), "  SELECT users (client)") {
		t.Errorf("no statement is in the trace:\n%s", otlptest.Tree(spans))
	}
}

// Neither a request nor the stop fails.
func TestServe_NoCollector_NoFailure(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	s := startServerIn(t, []string{"OTEL_EXPORTER_OTLP_ENDPOINT=http://" + listener.Addr().String()})
	go io.Copy(io.Discard, s.log) // the log must have a reader
	for range 3 {
		s.ask(t, "asked")
	}
	s.stop()
	if err := <-s.result; err != nil {
		t.Error(err)
	}
}

// Neither a request nor the stop waits for long.
func TestServe_CollectorHangs_NoDelay(t *testing.T) {
	t.Parallel()
	collector := otlptest.New(t)
	release := collector.Hold()
	defer release()
	s := startServerIn(
		t,
		[]string{"OTEL_EXPORTER_OTLP_ENDPOINT=http://" + collector.Address, "OTEL_BSP_SCHEDULE_DELAY=1"},
	)
	go io.Copy(io.Discard, s.log) // the log must have a reader
	s.ask(t, "first")
	collector.Wait(t, func(all []*proto.Span) bool { return len(all) > 0 })
	s.ask(t, "second")
	s.stop()
	if err := <-s.result; err != nil {
		t.Error(err)
	}
}

func TestServe_TracingDisabled_NoTrace(t *testing.T) {
	t.Parallel()
	s := startServerIn(t, []string{"OTEL_SDK_DISABLED=true"})
	go io.Copy(io.Discard, s.log) // the log must have a reader
	if got := s.ask(t, "asked").Header.Get("Traceresponse"); got != "" {
		t.Errorf("there is a trace: %s", got)
	}
}

// ask sends a failing login with a request id.
func (s *server) ask(t *testing.T, id string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(
		t.Context(), http.MethodPost, s.url+"/v1/auth/login",
		strings.NewReader(`{"username":"nobody","password":"nothing at all"}`),
	)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Request-ID", id)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusUnauthorized {
		t.Fatalf("status %d, want 401", answer.StatusCode)
	}
	return answer
}

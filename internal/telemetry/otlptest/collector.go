// Package otlptest gives tests an OpenTelemetry collector: a real gRPC server that takes traces
// over OTLP and keeps them.
package otlptest

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	proto "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
)

// patience is how long a test waits for spans that must come.
const patience = 30 * time.Second

// Collector takes traces. Its methods may be called from any goroutine.
type Collector struct {
	collector.UnimplementedTraceServiceServer
	Address string // HOST:PORT

	mu       sync.Mutex
	spans    []*proto.Span
	resource []*common.KeyValue
	changed  chan struct{} // closed at the next arrival
	held     chan struct{} // nil, or answers wait until it is closed
}

// New starts a collector, which ends with the test.
func New(t testing.TB) *Collector {
	t.Helper()
	return NewAt(t, "127.0.0.1:0")
}

// NewAt is New on an address.
func NewAt(t testing.TB, address string) *Collector {
	t.Helper()
	c := &Collector{changed: make(chan struct{})}
	server := grpc.NewServer()
	collector.RegisterTraceServiceServer(server, c)
	c.Address = serve(t, address, server)
	return c
}

// serve runs server on address until the test ends, and returns the address with its port.
func serve(t testing.TB, address string, server *grpc.Server) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Stop()
		if err := <-served; err != nil && !errors.Is(err, grpc.ErrServerStopped) {
			t.Error(err)
		}
	})
	return listener.Addr().String()
}

// Hold makes the collector hang: it takes spans and never answers, until release is called.
func (c *Collector) Hold() (release func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	held := make(chan struct{})
	c.held = held
	return func() { close(held) }
}

// Export is part of the protocol.
func (c *Collector) Export(
	ctx context.Context,
	q *collector.ExportTraceServiceRequest,
) (*collector.ExportTraceServiceResponse, error) {
	c.mu.Lock()
	for _, of := range q.GetResourceSpans() {
		c.resource = of.GetResource().GetAttributes()
		for _, scope := range of.GetScopeSpans() {
			c.spans = append(c.spans, scope.GetSpans()...)
		}
	}
	close(c.changed)
	c.changed = make(chan struct{})
	held := c.held
	c.mu.Unlock()
	if held != nil {
		select {
		case <-held:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return &collector.ExportTraceServiceResponse{}, nil
}

// Wait returns what has arrived once enough says that it is enough, and fails the test if that does
// not come.
func (c *Collector) Wait(t testing.TB, enough func([]*proto.Span) bool) []*proto.Span {
	t.Helper()
	over := time.After(patience)
	for {
		c.mu.Lock()
		spans, changed := slices.Clone(c.spans), c.changed
		c.mu.Unlock()
		if enough(spans) {
			return spans
		}
		select {
		case <-changed:
		case <-over:
			t.Fatalf("of what was waited for only this came:\n%s", Tree(spans))
		}
	}
}

// Spans returns what has arrived.
func (c *Collector) Spans() []*proto.Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.spans)
}

// Resource returns what describes the sender, by name.
func (c *Collector) Resource() map[string]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := map[string]string{}
	for _, a := range c.resource {
		all[a.GetKey()] = a.GetValue().GetStringValue()
	}
	return all
}

package otlptest

import (
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/mem"
)

// Sink is a collector that acknowledges what it is sent and does not look at it. A benchmark that
// sends to it measures the sender, where Collector would take the processor from it.
type Sink struct {
	Address string // HOST:PORT

	exports atomic.Int64
}

// NewSink starts a sink, which ends with the test.
func NewSink(t testing.TB) *Sink {
	t.Helper()
	s := &Sink{}
	s.Address = serve(
		t,
		"127.0.0.1:0",
		grpc.NewServer(grpc.ForceServerCodecV2(opaque{}), grpc.UnknownServiceHandler(s.take)),
	)
	return s
}

// Exports returns how many times spans have come.
func (s *Sink) Exports() int64 { return s.exports.Load() }

// take answers one call with an empty message, which says that all was accepted.
func (s *Sink) take(_ any, call grpc.ServerStream) error {
	if err := call.RecvMsg(nil); err != nil {
		return err
	}
	s.exports.Add(1)
	return call.SendMsg(nil)
}

// opaque is a codec that leaves messages as they are on the wire, and makes empty ones.
type opaque struct{}

func (opaque) Marshal(any) (mem.BufferSlice, error) { return nil, nil }

func (opaque) Unmarshal(mem.BufferSlice, any) error { return nil }

func (opaque) Name() string { return "proto" }

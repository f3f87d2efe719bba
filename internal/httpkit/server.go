package httpkit

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"go.opentelemetry.io/otel/trace"

	"firemode"
)

// Metrics is what a Server reports about itself.
type Metrics interface {
	// ObserveRequest reports one answered request. endpoint is the route pattern, or "unmatched".
	// ctx is that of the request, whose trace it can name as an example.
	ObserveRequest(ctx context.Context, method, endpoint string, status int, took time.Duration)
	// RequestShed reports a request that was refused because of load. reason is the name of the queue
	// that is too deep, or "memory".
	RequestShed(reason string)
	// Replayed reports a request that was answered with what was stored under its Idempotency-Key.
	Replayed()
}

// Caller is who sent a request.
type Caller struct {
	Principal firemode.Principal
	// Token is what the Authenticate function knows about the token beside the principal. A Server
	// hands it to the handlers as it is.
	Token any
}

// Authenticate returns the caller that a bearer token stands for, or why the token is refused.
type Authenticate func(ctx context.Context, token string) (Caller, error)

// Config of a Server.
type Config struct {
	Description  Description
	Authenticate Authenticate // needed where a route has a Permission
	Key          []byte       // HMAC key of fingerprints, 32 bytes, the same on every node
	Now          func() time.Time
	NewID        func() string // UUIDv7
	Report       Report
	Limits       Limits
	// Drain is that of the server that listens, so that answers say when it stops; nil for none.
	Drain *Drain
}

// Report is where a Server reports its requests.
type Report struct {
	Logger  *slog.Logger
	Metrics Metrics
	// Traces takes the span of each request; nil for none.
	Traces trace.TracerProvider
	// SlowAfter is how long a request on a critical route may take before a warning shows where its
	// time went; 0 means 300 ms.
	SlowAfter time.Duration
}

// Limits are what a Server grants its clients.
type Limits struct {
	// Pause is how long a client may stop sending a body before it gets 408, or stop reading an
	// answer before its connection is closed; 0 means 30 s.
	Pause time.Duration
	// Queues returns how deep each queue of writes is, by name; see QueueDatabase and Route.Queue.
	// A queue that is missing is never deep.
	Queues map[string]func() time.Duration
	// ShedAfter is how deep a queue may be before a request that would join it gets 503; 0 means 2 s.
	ShedAfter time.Duration
	// BodyMemory is how many bytes the bodies of all requests may take in memory before a further
	// one gets 503; 0 means 128 MiB.
	BodyMemory int64
}

const (
	defaultPause      = 30 * time.Second
	defaultSlowAfter  = 300 * time.Millisecond // the requirement on the p95 of classify
	defaultShedAfter  = 2 * time.Second
	defaultBodyMemory = 128 << 20
)

func (l Limits) withDefaults() Limits {
	if l.Pause == 0 {
		l.Pause = defaultPause
	}
	if l.ShedAfter == 0 {
		l.ShedAfter = defaultShedAfter
	}
	if l.BodyMemory == 0 {
		l.BodyMemory = defaultBodyMemory
	}
	return l
}

// Server answers the requests of a list of routes. It is safe for concurrent use, and keeps no state
// but the idempotency keys of running requests and the memory that their bodies take.
type Server struct {
	now          func() time.Time
	newID        func() string
	authenticate Authenticate
	key          []byte
	report       Report
	limits       Limits
	drain        *Drain

	mux      *http.ServeMux
	huma     huma.API
	checker  checker
	answers  map[firemode.Code]answer
	inFlight inFlight
	bodies   bodies
	spans    *spans
	spec     func() (documents, error)
}

// New returns the Server of routes. It fails if a route has no endpoint. Of a Config that is used for
// the description alone only Description is needed.
func New(c Config, routes []Route) (*Server, error) {
	if c.Report.SlowAfter == 0 {
		c.Report.SlowAfter = defaultSlowAfter
	}
	limits := c.Limits.withDefaults()
	s := &Server{
		now: c.Now, newID: c.NewID, authenticate: c.Authenticate, key: c.Key, report: c.Report, limits: limits, drain: c.Drain,
		mux: http.NewServeMux(), answers: answers(), bodies: bodies{limit: limits.BodyMemory}, spans: newSpans(c.Report.Traces, routes),
	}
	s.huma = huma.NewAPI(s.humaConfig(c.Description), adapter{s})
	s.checker = checker{s.registry()}
	s.spec = sync.OnceValues(s.render)
	for _, rt := range routes {
		if rt.Serve == nil {
			return nil, errors.New("httpkit: no endpoint for " + rt.Method + " " + rt.Pattern)
		}
		rt.Serve(s, &rt, s.operation(&rt))
	}
	neverNull(s.registry())
	s.mux.HandleFunc(anyPath, s.unrouted)
	return s, nil
}

func (s *Server) registry() huma.Registry { return s.huma.OpenAPI().Components.Schemas }

// ServeHTTP answers every path in the one error format.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.observe(w, r, s.mux.ServeHTTP) //nolint:contextcheck // it travels in r
}

// DescriptionYAML returns the description of the routes as YAML.
func (s *Server) DescriptionYAML() ([]byte, error) {
	d, err := s.spec()
	return d.yaml, err
}

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

// Metrics receives what a Server reports about itself. It must be safe for concurrent use.
type Metrics interface {
	// ObserveRequest reports one answered request. endpoint is the route pattern, or "unmatched".
	// ctx is the context of the request, from which an exemplar can be taken.
	ObserveRequest(ctx context.Context, method, endpoint string, status int, took time.Duration)
	// RequestShed reports a request that was refused because of load. reason is the name of the
	// queue that is too deep, or "memory".
	RequestShed(reason string)
	// Replayed reports a request that was answered with the stored response of its
	// Idempotency-Key.
	Replayed()
}

// Caller is the sender of a request.
type Caller struct {
	Principal firemode.Principal
	// Token is what Authenticate knows about the token beside the principal. The Server passes it
	// to the handlers unchanged.
	Token any
}

// Authenticate returns the caller that a bearer token identifies, or the reason for refusing it.
type Authenticate func(ctx context.Context, token string) (Caller, error)

// Config of a Server.
type Config struct {
	Description  Description
	Authenticate Authenticate // required if a route has a Permission
	Key          []byte       // HMAC key of request fingerprints, 32 bytes, the same on every node
	Now          func() time.Time
	NewID        func() string // returns a UUIDv7
	Metrics      Metrics
	Report       Report
	Limits       Limits
	// Drain is the drain of the listening server. While it stops, responses close their
	// connection. nil means none.
	Drain *Drain
}

// Report says where and how a Server reports its requests.
type Report struct {
	Logger *slog.Logger
	// Traces receives the span of each request; nil for none.
	Traces trace.TracerProvider
	// SlowAfter is the time after which a request on a critical route is logged as slow, with the
	// time of each stage; 0 means 300 ms.
	SlowAfter time.Duration
}

// Limits are what a Server grants its clients.
type Limits struct {
	// Pause is how long a client may stop sending a body before it gets 408, or stop reading a
	// response before its connection is closed; 0 means 30 s.
	Pause time.Duration
	// Queues returns the depth of each queue of writes by name; see QueueDatabase and Route.Queue.
	// A queue that is missing has depth 0.
	Queues map[string]func() time.Duration
	// ShedAfter is the depth of a queue above which a request that would join it gets 503; 0 means
	// 2 s.
	ShedAfter time.Duration
	// BodyMemory is how many bytes the bodies of all requests may take in memory; a request that
	// would exceed it gets 503. 0 means 128 MiB.
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

// Server answers the requests of a list of routes. It is safe for concurrent use. Its only state is
// the idempotency keys of running requests and the memory that request bodies take.
type Server struct {
	now          func() time.Time
	newID        func() string
	pause        time.Duration
	authenticate Authenticate
	drain        *Drain

	mux      *http.ServeMux
	huma     huma.API
	schemas  schemaChecker
	rendered func() (documents, error)

	keys     idempotencyKeys
	load     loadShedder
	reporter reporter
}

// New returns the Server of routes. It fails if a route has no endpoint. If only the description is
// used, Config needs nothing but Description.
func New(c Config, routes []Route) (*Server, error) {
	limits := c.Limits.withDefaults()
	s := &Server{
		now: c.Now, newID: c.NewID, pause: limits.Pause, authenticate: c.Authenticate, drain: c.Drain,
		mux:  http.NewServeMux(),
		keys: idempotencyKeys{secret: c.Key},
		load: loadShedder{
			queues: limits.Queues, after: limits.ShedAfter, memory: bodyMemory{limit: limits.BodyMemory}, metrics: c.Metrics,
		},
		reporter: newReporter(c, routes),
	}
	s.huma = huma.NewAPI(humaConfig(c.Description), adapter{s})
	s.schemas = schemaChecker{s.registry()}
	s.rendered = sync.OnceValues(s.render)
	for _, rt := range routes {
		if rt.Serve == nil {
			return nil, errors.New("httpkit: no endpoint for " + rt.Method + " " + rt.Pattern)
		}
		rt.Serve(s, &rt, s.operation(&rt))
	}
	listsAreNeverNull(s.registry())
	s.mux.HandleFunc(anyPath, s.serveUnmatched)
	return s, nil
}

func (s *Server) registry() huma.Registry { return s.huma.OpenAPI().Components.Schemas }

// ServeHTTP answers every path, known or not, in the one error format.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.observe(w, r, s.mux.ServeHTTP) //nolint:contextcheck // the context travels in r
}

// DescriptionYAML returns the description of the routes as YAML.
func (s *Server) DescriptionYAML() ([]byte, error) {
	d, err := s.rendered()
	return d.yaml, err
}

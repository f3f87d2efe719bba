package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/singleflight"

	"firemode"
	"firemode/internal/assets"
	"firemode/internal/bundles"
	"firemode/internal/catalogue"
	"firemode/internal/defects"
	"firemode/internal/identity"
	"firemode/internal/record/merge"
	"firemode/internal/record/view"
	"firemode/internal/visits"
)

// Metrics is what the API reports about itself.
type Metrics interface {
	// ObserveRequest reports one answered request. endpoint is the route pattern, or "unmatched".
	// ctx is that of the request, whose trace it can name as an example.
	ObserveRequest(ctx context.Context, method, endpoint string, status int, took time.Duration)
	// BundleSent reports the size of an offline bundle on the wire.
	BundleSent(ctx context.Context, session string, bytes int64)
	// RequestShed reports a request that was refused before its body was read, or while it came, for want of what reason names: the
	// queue that is too deep, or "memory".
	RequestShed(reason string)
	// Replayed reports a request that was answered with what was stored under its Idempotency-Key.
	Replayed()
}

// Check is one part of readiness: nil when that part can serve. It is called with a deadline, and not again before it has returned. Of an
// error, what it says to users is shown (see firemode.Error), and nothing else; see also Degraded.
type Check func(context.Context) error

// Services are what the endpoints work with.
type Services struct {
	Auth      *identity.Service
	Catalogue *catalogue.Service
	Buildings *assets.Service
	Visits    *visits.Service
	Merge     *merge.Service
	Views     *view.Service
	Defects   *defects.Service
	Bundles   *bundles.Service
}

// Config of the API.
type Config struct {
	Services  Services
	CursorKey []byte           // HMAC key of cursors, 32 bytes, the same on every node
	Checks    map[string]Check // readiness by name
	Now       func() time.Time
	NewID     func() string // UUIDv7
	Logger    *slog.Logger
	Metrics   Metrics
	// MetricsPage is served at /metrics; nil for no such path on this listener.
	MetricsPage http.Handler
	Version     string // of the program, shown at /health/live
	// Traces takes the span of each request; nil for none.
	Traces trace.TracerProvider
	// SlowAfter is how long a request on a critical route may take before a warning says where its time went; 0 means 300 ms.
	SlowAfter time.Duration
	// Pause is how long a client may stop sending a body before it is 408, or taking an answer before its connection is closed; 0 means 30 s.
	Pause time.Duration
	// Queues tells how deep each queue of writes is, by the names that begin with Queue. One that is missing is never deep.
	Queues map[string]func() time.Duration
	// ShedAfter is how deep a queue may be before what would join it is 503; 0 means 2 s.
	ShedAfter time.Duration
	// BodyMemory is how many bytes the bodies of all requests may take in memory before a further one is 503; 0 means 128 MiB.
	BodyMemory int64
	// Drain is that of the server, so that answers say when it stops; nil for none.
	Drain *Drain
}

const (
	defaultPause     = 30 * time.Second
	defaultSlowAfter = 300 * time.Millisecond // the requirement on the p95 of classify
)

// Validate says what is missing.
func (c Config) Validate() error {
	var err error
	need := func(ok bool, name string) {
		if !ok {
			err = errors.Join(err, errors.New("httpapi: Config."+name+" is missing"))
		}
	}
	need(c.Services.Auth != nil, "Services.Auth")
	need(c.Services.Catalogue != nil, "Services.Catalogue")
	need(c.Services.Buildings != nil, "Services.Buildings")
	need(c.Services.Visits != nil, "Services.Visits")
	need(c.Services.Merge != nil, "Services.Merge")
	need(c.Services.Views != nil, "Services.Views")
	need(c.Services.Defects != nil, "Services.Defects")
	need(c.Services.Bundles != nil, "Services.Bundles")
	need(len(c.CursorKey) >= 32, "CursorKey (32 bytes)")
	need(c.Now != nil, "Now")
	need(c.NewID != nil, "NewID")
	need(c.Logger != nil, "Logger")
	need(c.Metrics != nil, "Metrics")
	return err
}

// API is the handler of every path. It is safe for concurrent use and holds no state but the keys of requests in flight, and how much
// their bodies take.
type API struct {
	Config
	mux      *http.ServeMux
	huma     huma.API
	checker  checker
	answers  map[firemode.Code]answer
	inFlight inFlight
	bodies   bodies
	spans    *spans
	spec     func() (documents, error)
	probes   singleflight.Group // of the checks
}

// New returns the API, or what its configuration lacks.
func New(c Config) (*API, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	return build(c, routes())
}

// build registers the routes. It needs no services: the documentation is made without any.
func build(c Config, list []Route) (*API, error) {
	if c.Pause == 0 {
		c.Pause = defaultPause
	}
	if c.ShedAfter == 0 {
		c.ShedAfter = defaultShedAfter
	}
	if c.BodyMemory == 0 {
		c.BodyMemory = defaultBodyMemory
	}
	if c.SlowAfter == 0 {
		c.SlowAfter = defaultSlowAfter
	}
	a := &API{
		Config: c, mux: http.NewServeMux(), answers: answers(), bodies: bodies{limit: c.BodyMemory}, spans: newSpans(c.Traces, list),
	}
	a.huma = huma.NewAPI(a.humaConfig(), adapter{a})
	a.checker = checker{a.registry()}
	a.spec = sync.OnceValues(a.render)
	for _, rt := range list {
		if rt.serve == nil {
			return nil, errors.New("httpapi: no handler for " + rt.Method + " " + rt.Pattern)
		}
		rt.serve(a, &rt, a.operation(&rt))
	}
	lists(a.registry())
	a.mux.HandleFunc(anyPath, a.unrouted)
	return a, nil
}

func (a *API) registry() huma.Registry { return a.huma.OpenAPI().Components.Schemas }

// ServeHTTP answers every path in the contract's format.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.observe(w, r, a.mux.ServeHTTP) //nolint:contextcheck // it travels in r
}

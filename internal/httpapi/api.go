package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"firemode"
	"firemode/internal/auth"
	"firemode/internal/buildings"
	"firemode/internal/bundle"
	"firemode/internal/catalogue"
	"firemode/internal/sessions"
)

// Metrics is what the API reports about itself.
type Metrics interface {
	// ObserveRequest reports one answered request. endpoint is the route pattern, or "unmatched".
	ObserveRequest(method, endpoint string, status int, took time.Duration)
	// BundleSent reports the size of an offline bundle on the wire.
	BundleSent(session string, bytes int64)
	// RequestShed reports a request that was refused before its body was read, or while it came, for want of what reason names: the
	// queue that is too deep, or "memory".
	RequestShed(reason string)
	// Replayed reports a request that was answered with what was stored under its Idempotency-Key.
	Replayed()
}

// Check is one part of readiness: nil when that part can serve. It is called with a deadline.
type Check func(context.Context) error

// Services are what the endpoints work with.
type Services struct {
	Auth      *auth.Service
	Catalogue *catalogue.Service
	Buildings *buildings.Service
	Sessions  *sessions.Service
	Bundles   *bundle.Service
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
	// BodyPause is how long a request's body may stop coming before it is 408; 0 means 30 s.
	BodyPause time.Duration
	// Queues tells how deep each queue of writes is, by the names that begin with Queue. One that is missing is never deep.
	Queues map[string]func() time.Duration
	// ShedAfter is how deep a queue may be before what would join it is 503; 0 means 2 s.
	ShedAfter time.Duration
	// BodyMemory is how many bytes the bodies of all requests may take in memory before a further one is 503; 0 means 128 MiB.
	BodyMemory int64
}

const defaultBodyPause = 30 * time.Second

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
	need(c.Services.Sessions != nil, "Services.Sessions")
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
	spec     func() (documents, error)
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
	if c.BodyPause == 0 {
		c.BodyPause = defaultBodyPause
	}
	if c.ShedAfter == 0 {
		c.ShedAfter = defaultShedAfter
	}
	if c.BodyMemory == 0 {
		c.BodyMemory = defaultBodyMemory
	}
	a := &API{Config: c, mux: http.NewServeMux(), answers: answers(), bodies: bodies{limit: c.BodyMemory}}
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

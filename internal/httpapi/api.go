package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"reflect"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"go.opentelemetry.io/otel/trace"

	"firemode/internal/assets"
	"firemode/internal/bundles"
	"firemode/internal/catalogue"
	"firemode/internal/defects"
	"firemode/internal/httpkit"
	"firemode/internal/identity"
	"firemode/internal/record/ledger"
	"firemode/internal/record/merge"
	"firemode/internal/record/view"
	"firemode/internal/visits"
)

// The queues of writes that load is shed by, beside httpkit.QueueDatabase.
const (
	QueueResults         = "results"         // submissions wait in it for their turn to be merged
	QueueClassifications = "classifications" // waiting for their entries in the audit log
)

// Metrics is what the API reports about itself.
type Metrics interface {
	httpkit.Metrics
	// BundleSent reports the size of an offline bundle on the wire.
	BundleSent(ctx context.Context, session string, bytes int64)
}

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
	CursorKey []byte                   // HMAC key of cursors, 32 bytes, the same on every node
	Checks    map[string]httpkit.Check // readiness by name
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
	Drain *httpkit.Drain
}

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

// API is the handler of every path. It is safe for concurrent use.
type API struct {
	*httpkit.Server
	Services    Services
	cursors     httpkit.Cursors
	health      *httpkit.Health
	metrics     Metrics
	metricsPage http.Handler
}

// New returns the API, or what its configuration lacks.
func New(c Config) (*API, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	return build(c, (*API).routes)
}

// NewHealth returns the health endpoints and the metrics alone, for a process that serves nothing else. It needs no services.
func NewHealth(c Config) (*API, error) {
	if c.Now == nil || c.NewID == nil || c.Logger == nil || c.Metrics == nil {
		return nil, errors.New("httpapi: Config lacks Now, NewID, Logger or Metrics")
	}
	return build(c, func(a *API) []httpkit.Route {
		return slices.DeleteFunc(a.operationRoutes(), func(rt httpkit.Route) bool { return rt.Tag != "health" })
	})
}

// OpenAPI returns the description of the API as YAML, the content of api/openapi.yaml. It needs no configuration.
func OpenAPI() ([]byte, error) {
	a, err := build(Config{}, (*API).routes)
	if err != nil {
		return nil, err
	}
	return a.DescriptionYAML()
}

// build makes an API with the routes that it is given. It needs no services: the description is made without any.
func build(c Config, routes func(*API) []httpkit.Route) (*API, error) {
	a := &API{
		Services: c.Services, cursors: httpkit.NewCursors(c.CursorKey), health: httpkit.NewHealth(c.Checks, c.Now, c.Version),
		metrics: c.Metrics, metricsPage: c.MetricsPage,
	}
	var err error
	a.Server, err = httpkit.New(httpkit.Config{
		Description: description(), Authenticate: a.authenticate, Key: c.CursorKey, Now: c.Now, NewID: c.NewID, Drain: c.Drain,
		Report: httpkit.Report{Logger: c.Logger, Metrics: c.Metrics, Traces: c.Traces, SlowAfter: c.SlowAfter},
		Limits: httpkit.Limits{Pause: c.Pause, Queues: c.Queues, ShedAfter: c.ShedAfter, BodyMemory: c.BodyMemory},
	}, routes(a))
	return a, err
}

func description() httpkit.Description {
	return httpkit.Description{
		Info: &huma.Info{
			Title:       "FireMode",
			Version:     "1",
			Description: "Routine service of fire protection systems: buildings, asset registers, test sessions, results that merge, defects and evidence.",
			License:     &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"},
		},
		Schemas: map[reflect.Type]string{reflect.TypeFor[ledger.Header](): "Entry"},
	}
}

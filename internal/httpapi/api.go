package httpapi

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

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

// Names of the queues of writes, beside httpkit.QueueDatabase.
const (
	QueueResults         = "results"         // submissions that wait to be merged
	QueueClassifications = "classifications" // classifications that wait for their entry in the audit log
)

// Metrics is what the API reports about itself.
type Metrics interface {
	httpkit.Metrics
	// BundleSent reports the size of an offline bundle on the wire.
	BundleSent(ctx context.Context, session string, bytes int64)
}

// Services are what the endpoints call.
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
	CursorKey []byte // HMAC key of cursors and fingerprints, 32 bytes, the same on every node
	Now       func() time.Time
	NewID     func() string // returns a UUIDv7
	Metrics   Metrics
	Report    httpkit.Report
	Limits    httpkit.Limits
	Operation Operation
	// Drain is the drain of the listening server. While it stops, responses close their
	// connection. nil means none.
	Drain *httpkit.Drain
}

// Operation is what operators see of the process.
type Operation struct {
	Checks  map[string]httpkit.Check // readiness by name
	Version string                   // of the program, shown at /health/live
	// MetricsPage is served at /metrics; nil means that this listener has no such path.
	MetricsPage http.Handler
}

// Validate returns an error that names what is missing.
func (c Config) Validate() error {
	var err error
	need := func(ok bool, name string) {
		if !ok {
			err = errors.Join(err, errors.New("httpapi: Config."+name+" is required"))
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
	return errors.Join(err, c.validateTransport())
}

// validateTransport checks what every API needs, one without services too.
func (c Config) validateTransport() error {
	var err error
	need := func(ok bool, name string) {
		if !ok {
			err = errors.Join(err, errors.New("httpapi: Config."+name+" is required"))
		}
	}
	need(c.Now != nil, "Now")
	need(c.NewID != nil, "NewID")
	need(c.Report.Logger != nil, "Report.Logger")
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

// New returns the API, or an error that names what its configuration lacks.
func New(c Config) (*API, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	return build(c, (*API).routes)
}

// NewHealth returns an API with only the health endpoints and the metrics, for a process that serves
// nothing else. It needs no services.
func NewHealth(c Config) (*API, error) {
	if err := c.validateTransport(); err != nil {
		return nil, err
	}
	return build(c, func(a *API) []httpkit.Route {
		return slices.DeleteFunc(a.operationRoutes(), func(rt httpkit.Route) bool { return rt.Tag != "health" })
	})
}

// OpenAPI returns the description of the API as YAML: the content of api/openapi.yaml.
func OpenAPI() ([]byte, error) {
	a, err := build(Config{}, (*API).routes)
	if err != nil {
		return nil, err
	}
	return a.DescriptionYAML()
}

// build returns an API with routes. The description needs no services.
func build(c Config, routes func(*API) []httpkit.Route) (*API, error) {
	a := &API{
		Services: c.Services, cursors: httpkit.NewCursors(c.CursorKey), metrics: c.Metrics,
		health:      httpkit.NewHealth(c.Operation.Checks, c.Now, c.Operation.Version),
		metricsPage: c.Operation.MetricsPage,
	}
	var err error
	a.Server, err = httpkit.New(httpkit.Config{
		Description: description(), Authenticate: a.authenticate, Key: c.CursorKey, Now: c.Now, NewID: c.NewID,
		Metrics: c.Metrics, Report: c.Report, Limits: c.Limits, Drain: c.Drain,
	}, routes(a))
	return a, err
}

func description() httpkit.Description {
	return httpkit.Description{
		Info: &huma.Info{
			Title:   "FireMode",
			Version: "1",
			Description: "Routine service of fire protection systems: buildings, asset registers, test sessions, " +
				"results that merge, defects and evidence.",
			License: &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"},
		},
		Schemas: map[reflect.Type]string{reflect.TypeFor[ledger.Header](): "Entry"},
	}
}

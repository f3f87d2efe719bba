package telemetry

import (
	"context"
	"errors"
	"net"
	"net/http"
	"runtime/debug"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Other is the label value for everything outside a fixed set.
const Other = "other"

// DefaultMaxSessions is the default of Config.MaxSessions.
const DefaultMaxSessions = 1000

// Config of Metrics.
type Config struct {
	// MaxSessions is the number of session_id values that each metric keeps, the most recently
	// used; 0 is DefaultMaxSessions.
	MaxSessions int
}

// Validate returns an error that names an invalid field.
func (c Config) Validate() error {
	if c.MaxSessions < 0 {
		return errors.New("telemetry: MaxSessions is negative")
	}
	return nil
}

// Metrics is the registry of a process. Its methods are safe for concurrent use.
type Metrics struct {
	registry    *prometheus.Registry
	requests    *series[request]
	conflicts   *capped[prometheus.Counter]
	sync        *series[string]
	bundles     *capped[prometheus.Observer]
	connections prometheus.Gauge
	shed        *prometheus.CounterVec
	merging     *merging
	sources     *sources
	supervision supervision
}

// NewMetrics returns a registry with the documented metrics, those of the Go runtime and of the
// process, and the build information.
func NewMetrics(c Config) (*Metrics, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if c.MaxSessions == 0 {
		c.MaxSessions = DefaultMaxSessions
	}
	conflicts := conflictsTotal()
	bundles := bundleBytes()
	requests, synced := requestDuration(), syncLatency()
	conflictsOf := func(id string) prometheus.Counter { return conflicts.WithLabelValues(id) }
	bundlesOf := func(id string) prometheus.Observer { return bundles.WithLabelValues(id) }
	m := &Metrics{
		registry:    prometheus.NewRegistry(),
		requests:    requestSeries(requests),
		conflicts:   newCapped(c.MaxSessions, conflicts.MetricVec, conflictsOf),
		sync:        labelSeries(synced),
		bundles:     newCapped(c.MaxSessions, bundles.MetricVec, bundlesOf),
		connections: activeConnections(),
		shed:        requestsShed(),
		merging:     newMerging(),
		sources:     newSources(),
		supervision: newSupervision(),
	}
	m.supervision.register(m.registry)
	m.registry.MustRegister(requests, conflicts, synced, bundles, m.connections, m.shed, m.sources)
	m.registry.MustRegister(buildInfo(debug.ReadBuildInfo), collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collectors.NewBuildInfoCollector())
	m.registry.MustRegister(m.merging.all()...)
	return m, nil
}

// Handler serves the metrics in the Prometheus formats, with native histograms and exemplars if the
// scraper accepts them.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry, EnableOpenMetrics: true})
}

// ObserveRequest reports one answered request. endpoint is the route pattern, never the path; took
// is the time from the first byte read to the last byte written. The trace in ctx is its exemplar,
// if it is sampled.
func (m *Metrics) ObserveRequest(ctx context.Context, method, endpoint string, status int, took time.Duration) {
	observe(ctx, m.requests.of(request{knownMethod(method), endpoint, status}), took.Seconds())
}

// ConflictArose reports one new conflict in a session. Sessions with the same id in two
// organisations share a series, because the documented metric has no other label.
func (m *Metrics) ConflictArose(session string) {
	m.conflicts.use(session, prometheus.Counter.Inc)
}

// Synced reports the time from the end of reading a results body to its durable commit. The trace
// in ctx is its exemplar, if it is sampled.
func (m *Metrics) Synced(ctx context.Context, clientType string, took time.Duration) {
	observe(ctx, m.sync.of(known(clientType, clientTypes())), took.Seconds())
}

// BundleSent reports the bytes on the wire of one offline bundle. The trace in ctx is its exemplar,
// if it is sampled.
func (m *Metrics) BundleSent(ctx context.Context, session string, bytes int64) {
	m.bundles.use(session, func(o prometheus.Observer) { observe(ctx, o, float64(bytes)) })
}

// ConnState counts open connections; call it from http.Server.ConnState.
func (m *Metrics) ConnState(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		m.connections.Inc()
	case http.StateHijacked, http.StateClosed:
		m.connections.Dec()
	case http.StateActive, http.StateIdle:
	}
}

func knownMethod(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodOptions:
		return m
	}
	return Other
}

// clientTypes returns the values of client_type that are kept; anything else is Other.
func clientTypes() []string { return []string{"web", "android", "ios", "desktop", "cli", "loadtest"} }

// known returns value if it is one of set, else Other.
func known(value string, set []string) string {
	if slices.Contains(set, value) {
		return value
	}
	return Other
}

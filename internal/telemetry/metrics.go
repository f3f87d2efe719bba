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

// Other is the label value that stands for everything outside a fixed set.
const Other = "other"

// DefaultMaxSessions is how many sessions have series of their own unless Config says otherwise.
const DefaultMaxSessions = 1000

// Config of Metrics.
type Config struct {
	// MaxSessions is the number of session_id values each metric keeps, the most recently used ones; 0 means
	// DefaultMaxSessions.
	MaxSessions int
}

// Validate says what is wrong with c.
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

// NewMetrics returns a registry with the metrics of the contract, those of the Go runtime and of the process, and the
// build information.
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
	m := &Metrics{
		registry:    prometheus.NewRegistry(),
		requests:    requestSeries(requests),
		conflicts:   newCapped(c.MaxSessions, conflicts.MetricVec, func(id string) prometheus.Counter { return conflicts.WithLabelValues(id) }),
		sync:        labelSeries(synced),
		bundles:     newCapped(c.MaxSessions, bundles.MetricVec, func(id string) prometheus.Observer { return bundles.WithLabelValues(id) }),
		connections: activeConnections(),
		shed:        requestsShed(),
		merging:     newMerging(),
		sources:     newSources(),
		supervision: newSupervision(),
	}
	m.supervision.register(m.registry)
	m.registry.MustRegister(requests, conflicts, synced, bundles, m.connections, m.shed, m.sources, buildInfo(debug.ReadBuildInfo),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collectors.NewBuildInfoCollector())
	m.registry.MustRegister(m.merging.all()...)
	return m, nil
}

// Handler serves the metrics in the Prometheus formats, native histograms and exemplars included where the scraper takes them.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry, EnableOpenMetrics: true})
}

// ObserveRequest reports one answered request. endpoint is the route pattern, never the path; took is from the first byte
// in to the last byte out. The trace that ctx carries is its example, if it is sampled.
func (m *Metrics) ObserveRequest(ctx context.Context, method, endpoint string, status int, took time.Duration) {
	observe(ctx, m.requests.of(request{knownMethod(method), endpoint, status}), took.Seconds())
}

// ConflictArose reports one new conflict in a session. Sessions of the same id in two organisations share a series: the
// contract gives the metric no other label.
func (m *Metrics) ConflictArose(session string) {
	m.conflicts.use(session, prometheus.Counter.Inc)
}

// Synced reports the time from a results body having been read to its being durable. The trace that ctx carries is its example, if it
// is sampled.
func (m *Metrics) Synced(ctx context.Context, clientType string, took time.Duration) {
	observe(ctx, m.sync.of(known(clientType, clientTypes)), took.Seconds())
}

// BundleSent reports the bytes on the wire of one offline bundle. The trace that ctx carries is its example, if it is sampled.
func (m *Metrics) BundleSent(ctx context.Context, session string, bytes int64) {
	m.bundles.use(session, func(o prometheus.Observer) { observe(ctx, o, float64(bytes)) })
}

// ConnState counts open connections; put it into http.Server.ConnState.
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
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return m
	}
	return Other
}

// ClientTypes returns the values of client_type that are kept; anything else is Other.
func ClientTypes() []string { return slices.Clone(clientTypes) }

var clientTypes = []string{"web", "android", "ios", "desktop", "cli", "loadtest"}

// known returns value if it is one of set, else Other.
func known(value string, set []string) string {
	if slices.Contains(set, value) {
		return value
	}
	return Other
}

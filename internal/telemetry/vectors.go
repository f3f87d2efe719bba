package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

func requestDuration() *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(native(prometheus.HistogramOpts{
		Name: "http_request_duration_seconds",
		Help: "Time from the first byte of a request to the last byte of its response.",
		// 0.3 is the limit for the p95 of classify.
		Buckets: []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2.5, 5, 10},
	}), []string{"method", "endpoint", "status"})
}

func conflictsTotal() *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "crdt_conflicts_total",
		Help: "New conflicts in merged results, by session.",
	}, []string{"session_id"})
}

func syncLatency() *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(native(prometheus.HistogramOpts{
		Name:    "sync_latency_seconds",
		Help:    "Time from the end of reading a results body to its durable commit.",
		Buckets: []float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2.5, 5},
	}), []string{"client_type"})
}

func bundleBytes() *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(native(prometheus.HistogramOpts{
		Name: "offline_bundle_bytes",
		Help: "Size on the wire of offline bundles, by session.",
		// 50 MB is the limit of a bundle.
		Buckets: []float64{1e4, 1e5, 5e5, 1e6, 5e6, 1e7, 2.5e7, 5e7},
	}), []string{"session_id"})
}

func activeConnections() prometheus.Gauge {
	return prometheus.NewGauge(prometheus.GaugeOpts{Name: "active_connections", Help: "Open HTTP connections."})
}

// native adds a native histogram of bounded size to the classic buckets.
func native(o prometheus.HistogramOpts) prometheus.HistogramOpts {
	o.NativeHistogramBucketFactor = 1.1
	o.NativeHistogramMaxBucketNumber = 100
	o.NativeHistogramMinResetDuration = time.Hour
	return o
}

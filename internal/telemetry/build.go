package telemetry

import (
	"runtime/debug"

	"github.com/prometheus/client_golang/prometheus"
)

// buildInfo returns a gauge that is always 1; its labels name the build.
func buildInfo(read func() (*debug.BuildInfo, bool)) prometheus.Collector {
	version, revision, goversion := "unknown", "unknown", "unknown"
	if info, ok := read(); ok {
		goversion = info.GoVersion
		if info.Main.Version != "" {
			version = info.Main.Version
		}
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				revision = s.Value
			}
		}
	}
	g := prometheus.NewGauge(prometheus.GaugeOpts{
		Name:        "firemode_build_info",
		Help:        "Always 1; the labels name the build. Two versions for a long time mean that a roll-out is stuck.",
		ConstLabels: prometheus.Labels{"version": version, "revision": revision, "goversion": goversion},
	})
	g.Set(1)
	return g
}

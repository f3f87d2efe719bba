package telemetry

import (
	"runtime/debug"

	"github.com/prometheus/client_golang/prometheus"
)

// buildInfo is always 1: what it tells is in its labels.
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
		Help:        "1; the labels tell which build this is. Two versions at once for long: a roll-out got stuck.",
		ConstLabels: prometheus.Labels{"version": version, "revision": revision, "goversion": goversion},
	})
	g.Set(1)
	return g
}

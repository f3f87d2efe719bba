// Package telemetry provides the logger, the Prometheus metrics and the traces.
//
// The metrics have the documented names and labels. Their number is bounded: every label is one of
// a fixed set, a route pattern, or a session id, of which only the most recently used keep a
// series. A slow or unavailable collector of traces costs spans, never a request. The package does
// not decide when to measure: services and httpapi declare the small interfaces through which they
// report, and internal/app passes Metrics and a tracer provider to them.
package telemetry

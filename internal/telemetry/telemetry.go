// Package telemetry makes what an operator watches: the logger, the Prometheus metrics and the traces.
//
// It promises that the metrics are the ones of the contract, by name and label, and that no caller can make their number
// grow without bound: every label is one of a fixed set, or a route pattern, or a session whose series is dropped when
// more recent sessions have taken its place; and that a collector of traces that is away or slow costs spans, never a request. It decides nothing about when to measure: services and httpapi declare the
// small interfaces they report through, and cmd/firemode plugs a Metrics into them; spans they make with a tracer provider that they are given.
package telemetry

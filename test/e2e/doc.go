// Package e2e holds the tests that drive the real binary from outside, over HTTP through client
// alone, on both engines: a whole yearly visit as two technicians make it, the quickstart as it is
// written, and that a client which applies deltas holds what the server shows.
package e2e

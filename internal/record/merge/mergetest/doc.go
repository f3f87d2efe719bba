// Package sessionstest reads everything that is stored of a session and holds it to the oracle. It
// is there for tests that drive a server in different ways, through the service or through its API,
// and want the same truth of it.
package mergetest

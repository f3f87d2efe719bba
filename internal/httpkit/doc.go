// Package httpkit is HTTP transport without nouns: what a server does for a route, whatever the route
// is about. It decides nothing about the trade. Package httpapi gives it the routes, who may use them
// and what answers them.
//
// It promises that every path, known or not, answers in the one error format and never redirects; that
// a malformed request is never answered with 500; that every response carries X-Request-ID; and that
// every request is reported once, without tokens, bodies or queries.
//
// # Order of the middleware
//
// Server.observe gives the request its State, cleans the path, recovers from panics, compresses the
// response and reports the request. Server.admit then checks, as the Route says: authentication, the
// permission of the role, Accept, the query, load, the body (media type, encoding, limits, idle
// timeout, JSON, schema) and the Idempotency-Key. A handler runs with firemode.PrincipalFrom,
// firemode.RequestID and store.IdempotencyFrom set in its context.
//
// # Beside the middleware
//
// Listener, Bounded and Drain go around the listener of the http.Server. Health answers the probes.
// Cursors signs positions in lists. Stream and LineWriter write long responses.
package httpkit

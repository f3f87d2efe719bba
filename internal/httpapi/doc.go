// Package httpapi is the HTTP API: it turns requests into calls of the services and their answers into JSON.
//
// It promises that every path, known or not, answers in the one error format of the contract and never redirects; that a
// malformed request is never our fault (500); that every answer carries X-Request-ID and is reported once, without tokens, bodies
// or queries; and that the handlers, the frame around them and the documentation follow from one list, see routes. It decides
// nothing about the trade: which building or session a caller may see is the services' part, which role may do what is
// internal/identity's table.
//
// # What the frame does for a route
//
// observe gives the request its id, tidies the path, recovers from panics, compresses and reports. admit then does, in this order
// and as the route's line says: authentication, the role's permission, Accept, the query's syntax, the body (media type, encoding,
// limits, patience, JSON, schema), the Idempotency-Key. A handler runs with firemode.PrincipalFrom, firemode.RequestID and
// store.IdempotencyFrom set in its context.
//
// # Adding an endpoint
//
//  1. Add its line to routes: method, pattern, id, summary, permission, body, what an Idempotency-Key does, status.
//
//  2. Write the handler in the file of its noun. A typed one takes and gives Go values and is one call of a service:
//
//     func (a *API) getThing(ctx context.Context, in *thingPath) (*httpkit.Reply[thingBody], error)
//
//     registered with typed((*API).getThing). Parameters are fields tagged path, query or header; the JSON body is the field Body.
//     Fields are required unless they are omitempty. Schema tags (minLength, pattern, enum, doc …) are checked before the handler
//     runs, and shown in the documentation. Lists embed Paging and answer with listed; things with a version embed Versioned. What is embedded must be exported, since
//     huma binds exported fields alone.
//
//  3. A raw one reads and writes HTTP itself, for streams and for bodies that huma should not judge:
//
//     func submitThing(a *API, w http.ResponseWriter, r *http.Request) error
//
//     registered with raw(submitThing, documentThing). On a route whose Body is not Streamed the decoded bytes are
//     httpkit.StateOf(ctx).body, to be read with httpkit.DecodeJSON; a Streamed one reads r.Body, whose errors are answered as they are.
//     a.writeJSON answers. An error that it returns becomes the answer, or cuts the connection if part of one has been sent.
//
//  4. Return the services' errors as they come: they are put into the contract's format, and logged, in one place.
//
//  5. Run go generate ./api, and give the new route its line in the fixtures of walk_test.go, which fails without one.
package httpapi

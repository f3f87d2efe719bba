// Package httpapi holds the /v1 routes, in one list, with their wire types and handlers, a file per
// noun. A handler takes its input, calls a service and gives its output. It decides nothing about the
// trade: the services decide which building or session a caller may see, and the table of
// internal/identity what a role may do. Package httpkit does everything else for a request.
//
// # Adding an endpoint
//
//  1. Add its entry to routes: method, pattern, id, summary, permission, body, what an
//     Idempotency-Key does, status.
//
//  2. Write the handler in the file of its noun. A typed one takes and returns Go values:
//
//     func (a *API) getThing(ctx context.Context, in *thingPath) (*httpkit.Reply[thingBody], error)
//
//     It is registered with httpkit.Typed(a.getThing). Parameters are fields tagged path, query or
//     header; the JSON body is the field Body. Fields are required unless they are omitempty. Schema
//     tags (minLength, pattern, enum, doc …) are checked before the handler runs, and are part of the
//     description. Lists embed Paging and answer with listed; changes of resources with a version embed
//     httpkit.Versioned. What is embedded must be exported, because huma binds exported fields only.
//
//  3. A raw one reads and writes HTTP itself, for streams and for bodies that huma cannot check:
//
//     func (a *API) submitThing(w http.ResponseWriter, r *http.Request) error
//
//     It is registered with httpkit.Raw(a.submitThing, documentThing). The decoded body is
//     httpkit.StateOf(ctx).Body, to be read with httpkit.DecodeJSON. On a route whose Body is Streamed
//     the handler reads r.Body, and returns its errors unchanged. httpkit.WriteJSON answers.
//
//  4. Return the errors of the services unchanged: httpkit formats and logs them.
//
//  5. Run go generate ./api, and add the route to the fixtures of walk_test.go, which fails without it.
package httpapi

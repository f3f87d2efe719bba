package httpapi

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"firemode"
	"firemode/internal/identity"
)

// Route is one endpoint: everything that the frame and the documentation need to know about it.
type Route struct {
	Method  string
	Pattern string // the path; parameters in braces. Also the metrics label
	ID      string // operationId of the documentation, in kebab case
	Summary string // one line of the documentation
	Tag     string // the noun it belongs to

	// Permission that the caller's role must have; "" needs no token at all.
	Permission identity.Permission
	Body       Body
	// Once says what an Idempotency-Key does. GET has none.
	Once Once
	// Queue is what its writes wait in beside the database's own queue; "" for nothing else.
	Queue string
	// Status of success, 200 unless told.
	Status int
	// Media type of a success, JSON unless told.
	Media string
	// Lines says that beside JSON the route takes and gives mediaLines.
	Lines bool
	// Quiet routes are logged at debug level: probes.
	Quiet bool
	// Critical routes are held to Config.SlowAfter: a slower request is logged as a warning.
	Critical bool

	serve  func(*API, *Route, huma.Operation)
	schema *huma.Schema // of the JSON body, nil unless the frame is to check it
}

// Body says what a route reads.
type Body struct {
	Media string // the one media type it takes; "" for no body, which is then not read
	Limit int64  // bytes after decoding
	// Streamed bodies are left to the handler to read from the request; others are read and decoded by the frame.
	Streamed bool
}

// Limits of the contract.
const (
	jsonLimit       = 8 << 20
	credentialLimit = 64 << 10 // who has no token yet gets little of our memory
	importLimit     = 64 << 20
)

func jsonBody() Body       { return Body{Media: mediaJSON, Limit: jsonLimit} }
func credentialBody() Body { return Body{Media: mediaJSON, Limit: credentialLimit} }

// Once says what an Idempotency-Key does on a route.
type Once int

// The ways of a route with an Idempotency-Key.
const (
	OnceIgnored  Once = iota // as if it were not there: reading, login, password
	OnceOptional             // honoured when given
	OnceRequired             // 400 without
	OnceOwn                  // 400 without; the service keeps the answers and their fingerprints itself
)

// typed makes a route of a handler that takes and gives Go values: huma binds the input's parameters and body, encodes the
// output, and derives the documentation from both types.
func typed[I, O any](handle func(*API, context.Context, *I) (*O, error)) func(*API, *Route, huma.Operation) {
	return func(a *API, rt *Route, op huma.Operation) {
		op.Metadata = map[string]any{"route": rt}
		huma.Register(a.huma, op, func(ctx context.Context, in *I) (*O, error) {
			out, err := handle(a, ctx, in)
			if err != nil {
				return nil, a.problemOf(ctx, err)
			}
			return out, nil
		})
	}
}

// raw makes a route of a handler that reads and writes HTTP itself; an error that it returns is answered in the contract's
// format, or cuts the connection if part of an answer has been sent. document adds to the operation what huma cannot know: parameters, request body, responses.
func raw(handle func(*API, http.ResponseWriter, *http.Request) error, document func(*huma.Operation, huma.Registry)) func(*API, *Route, huma.Operation) {
	return func(a *API, rt *Route, op huma.Operation) {
		if document != nil {
			document(&op, a.registry())
		}
		a.huma.OpenAPI().AddOperation(&op)
		a.mux.HandleFunc(rt.Method+" "+rt.Pattern, a.admit(rt, func(w http.ResponseWriter, r *http.Request) {
			if err := handle(a, w, r); err != nil {
				a.fail(w, r, err)
			}
		}))
	}
}

// gives is the media type of the route's answers.
func (rt *Route) gives() string {
	if rt.Media == "" {
		return mediaJSON
	}
	return rt.Media
}

// adapter registers huma's handlers on the mux, behind the frame.
type adapter struct {
	api *API
}

func (d adapter) Handle(op *huma.Operation, handle func(huma.Context)) {
	rt := op.Metadata["route"].(*Route)
	if op.RequestBody != nil {
		rt.schema = op.RequestBody.Content[mediaJSON].Schema
	}
	d.api.mux.HandleFunc(rt.Method+" "+rt.Pattern, d.api.admit(rt, func(w http.ResponseWriter, r *http.Request) {
		handle(&call{inner: humago.NewContext(op, r, w)})
	}))
}

func (d adapter) ServeHTTP(w http.ResponseWriter, r *http.Request) { d.api.ServeHTTP(w, r) }

// inner is huma.Context under a name that does not hide its method Context.
type inner = huma.Context

// call is huma's view of one request. huma decides on a status before our error format is known, so call lets refit correct it.
type call struct {
	inner
	status int
}

func (c *call) SetStatus(status int) {
	if c.status != 0 {
		status = c.status
	}
	c.inner.SetStatus(status)
}

// Header hides Accept: the frame has judged it, and there is one format.
func (c *call) Header(name string) string {
	if name == "Accept" {
		return ""
	}
	return c.inner.Header(name)
}

// refit is the transformer that puts the errors of huma itself into the contract's format: a parameter that cannot be read is
// 400, a body that is readable but not meaningful 422.
func (a *API) refit(ctx huma.Context, _ string, v any) (any, error) {
	found, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	details := make([]firemode.Detail, len(found.Errors))
	e := firemode.Malformed("%s", found.Detail)
	for i, d := range found.Errors {
		details[i] = detailOf(d)
		if strings.HasPrefix(d.Location, "body") && i == 0 {
			e.Code = firemode.CodeInvalid
		}
	}
	if len(details) > 0 {
		e.Message, e.Details = details[0].Field+": "+details[0].Reason, details
	}
	c, ok := ctx.(*call)
	if !ok {
		return nil, errors.New("httpapi: not a call of the adapter")
	}
	p := a.problemOf(ctx.Context(), e)
	c.status = p.status
	c.SetHeader("Content-Type", mediaJSON)
	return p, nil
}

package httpkit

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"firemode"
)

// Route is one endpoint: everything that the frame and the documentation need to know about it.
type Route struct {
	Method  string
	Pattern string // the path; parameters in braces. Also the metrics label
	ID      string // operationId of the documentation, in kebab case
	Summary string // one line of the documentation
	Tag     string // the noun it belongs to

	// Permission that the caller's role must have; nil needs no token at all.
	Permission Permission
	Body       Body
	// Once says what an Idempotency-Key does. GET has none.
	Once Once
	// Queue is what its writes wait in beside the database's own queue; "" for nothing else.
	Queue string
	// Status of success, 200 unless told.
	Status int
	// Media type of a success, JSON unless told.
	Media string
	// Lines says that beside JSON the route takes and gives MediaLines.
	Lines bool
	// Quiet routes are logged at debug level: probes.
	Quiet bool
	// Critical routes are held to Config.SlowAfter: a slower request is logged as a warning.
	Critical bool

	// Serve is the endpoint, see Typed and Raw.
	Serve Endpoint

	schema *huma.Schema // of the JSON body, nil unless the frame is to check it
}

// Body says what a route reads.
type Body struct {
	Media string // the one media type it takes; "" for no body, which is then not read
	Limit int64  // bytes after decoding
	// Streamed bodies are left to the handler to read from the request; others are read and decoded by the frame.
	Streamed bool
}

// Permission is what a route asks of the role of its caller.
type Permission interface {
	// Allows reports whether a caller of role may use the route.
	Allows(role firemode.Role) bool
}

// Endpoint registers what answers a route.
type Endpoint func(*Server, *Route, huma.Operation)

// Once says what an Idempotency-Key does on a route.
type Once int

// The ways of a route with an Idempotency-Key.
const (
	OnceIgnored  Once = iota // ignored: reading, login, password
	OnceOptional             // honoured when given
	OnceOwn                  // required; the service keeps the stored responses and their fingerprints itself
)

// Typed is an endpoint whose handler takes and gives Go values. huma binds the input's parameters and body, encodes the output, and
// derives the description from both types.
func Typed[I, O any](handle func(context.Context, *I) (*O, error)) Endpoint {
	return func(s *Server, rt *Route, op huma.Operation) {
		op.Metadata = map[string]any{"route": rt}
		huma.Register(s.huma, op, func(ctx context.Context, in *I) (*O, error) {
			out, err := handle(ctx, in)
			if err != nil {
				return nil, s.problemOf(ctx, err)
			}
			return out, nil
		})
	}
}

// Raw is an endpoint whose handler reads and writes HTTP itself. An error that it returns is answered in the one error format, or
// closes the connection if a part of the answer has been sent. document adds to the operation what huma cannot know: parameters, request
// body, responses; it may be nil.
func Raw(handle func(http.ResponseWriter, *http.Request) error, document func(*huma.Operation, huma.Registry)) Endpoint {
	return func(s *Server, rt *Route, op huma.Operation) { s.register(rt, op, handle, document) }
}

func (s *Server) register(
	rt *Route, op huma.Operation, handle func(http.ResponseWriter, *http.Request) error, document func(*huma.Operation, huma.Registry),
) {
	if document != nil {
		document(&op, s.registry())
	}
	s.huma.OpenAPI().AddOperation(&op)
	s.mux.HandleFunc(rt.Method+" "+rt.Pattern, s.admit(rt, func(w http.ResponseWriter, r *http.Request) {
		if err := handle(w, r); err != nil {
			s.fail(w, r, err)
		}
	}))
}

// gives is the media type of the route's answers.
func (rt *Route) gives() string {
	if rt.Media == "" {
		return MediaJSON
	}
	return rt.Media
}

// adapter registers huma's handlers on the mux, behind the frame.
type adapter struct {
	server *Server
}

func (d adapter) Handle(op *huma.Operation, handle func(huma.Context)) {
	rt := op.Metadata["route"].(*Route)
	if op.RequestBody != nil {
		rt.schema = op.RequestBody.Content[MediaJSON].Schema
	}
	d.server.mux.HandleFunc(rt.Method+" "+rt.Pattern, d.server.admit(rt, func(w http.ResponseWriter, r *http.Request) {
		handle(&call{inner: humago.NewContext(op, r, w)})
	}))
}

func (d adapter) ServeHTTP(w http.ResponseWriter, r *http.Request) { d.server.ServeHTTP(w, r) }

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
func (s *Server) refit(ctx huma.Context, _ string, v any) (any, error) {
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
	p := s.problemOf(ctx.Context(), e)
	c.status = p.status
	c.SetHeader("Content-Type", MediaJSON)
	return p, nil
}

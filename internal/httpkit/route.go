package httpkit

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"firemode"
)

// Route is one endpoint: everything that the middleware and the description need to know about it.
type Route struct {
	Method  string
	Pattern string // the path, with parameters in braces; also the metrics label
	ID      string // operationId of the description, in kebab case
	Summary string // one line of the description
	Tag     string // the noun it belongs to

	// Permission is what the role of the caller needs; nil means that no token is needed.
	Permission Permission
	Body       Body
	// Once says what an Idempotency-Key does. A GET ignores it.
	Once Once
	// Queue names the queue that the route's writes wait in beside QueueDatabase; "" for none.
	Queue string
	// Status of success; 0 means 200.
	Status int
	// Media is the media type of a success; "" means JSON.
	Media string
	// Lines says that the route takes and answers MediaLines beside JSON.
	Lines bool
	// Quiet routes are logged at debug level and not traced: probes.
	Quiet bool
	// Critical routes are measured by stage; a request slower than Report.SlowAfter is logged.
	Critical bool

	// Serve is the endpoint, see Typed and Raw.
	Serve Endpoint

	schema *huma.Schema // of the JSON body; nil if the middleware does not check it
}

// Body says what a route reads.
type Body struct {
	Media string // the media type it takes; "" means that no body is read
	Limit int64  // bytes after decoding
	// Streamed bodies are read by the handler from the request. Others are read and decoded before
	// it runs.
	Streamed bool
}

// Permission is what a route asks of the role of its caller.
type Permission interface {
	// Allows reports whether a caller of role may use the route.
	Allows(role firemode.Role) bool
}

// Endpoint registers the handler of a route.
type Endpoint func(*Server, *Route, huma.Operation)

// Handler answers a request. If it returns an error, the Server answers that, or closes the
// connection if a part of the response has been sent.
type Handler func(http.ResponseWriter, *http.Request) error

// Document adds to an operation what huma cannot know: parameters, request body, responses.
type Document func(*huma.Operation, huma.Registry)

// Once says what an Idempotency-Key does on a route.
type Once int

// What an Idempotency-Key does.
const (
	OnceIgnored  Once = iota // nothing: reading, login, password
	OnceOptional             // honoured if it is sent
	OnceOwn                  // required; the service keeps the stored responses and fingerprints itself
)

// Typed is an endpoint whose handler takes and returns Go values. huma binds parameters and body to
// the input, encodes the output, and derives the description from both types.
func Typed[I, O any](handle func(context.Context, *I) (*O, error)) Endpoint {
	return func(s *Server, rt *Route, op huma.Operation) {
		op.Metadata = map[string]any{"route": rt}
		huma.Register(s.huma, op, func(ctx context.Context, in *I) (*O, error) {
			out, err := handle(ctx, in)
			if err != nil {
				return nil, problemOf(ctx, err)
			}
			return out, nil
		})
	}
}

// Raw is an endpoint whose handler reads and writes HTTP itself. document may be nil.
func Raw(handle Handler, document Document) Endpoint {
	return func(s *Server, rt *Route, op huma.Operation) { s.register(rt, op, handle, document) }
}

func (s *Server) register(rt *Route, op huma.Operation, handle Handler, document Document) {
	if document != nil {
		document(&op, s.registry())
	}
	s.huma.OpenAPI().AddOperation(&op)
	s.mux.HandleFunc(rt.Method+" "+rt.Pattern, s.admit(rt, func(w http.ResponseWriter, r *http.Request) {
		if err := handle(w, r); err != nil {
			writeProblem(w, r, err)
		}
	}))
}

// requestMedia returns the media types of the route's bodies, in words.
func (rt *Route) requestMedia() string {
	if rt.Lines {
		return rt.Body.Media + " or " + MediaLines
	}
	return rt.Body.Media
}

// responseMedia returns the media type of the route's responses, beside MediaLines.
func (rt *Route) responseMedia() string {
	if rt.Media == "" {
		return MediaJSON
	}
	return rt.Media
}

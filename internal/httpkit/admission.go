package httpkit

import (
	"context"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"firemode"
	"firemode/internal/store"
)

// admit is what stands before every handler: who asks, whether that role may, whether we can answer in a form that is wanted,
// whether what it would write can be written soon, what the body says, and whether the same request has been seen before. The handler runs with a context that carries it all.
func (s *Server) admit(rt *Route, handle http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		x := StateOf(r.Context())
		x.route = rt
		if rt.Critical {
			x.Watch = &firemode.Stopwatch{}
			x.Watch.Start(s.now, x.started)
		}
		r, err := s.admitted(w, r, x) //nolint:contextcheck // it travels in r
		if err != nil {
			s.fail(w, r, err)
			return
		}
		handle(w, r)
	}
}

func (s *Server) admitted(w http.ResponseWriter, r *http.Request, x *State) (*http.Request, error) {
	ctx, err := s.identify(r, x)
	if err != nil {
		return r, err
	}
	if err := acceptable(r, x.route); err != nil {
		return r, err
	}
	if x.route.Lines {
		w.Header().Add("Vary", "Accept")
		x.Lines = wantsLines(r, x.route)
	}
	if err := readable(r.URL.RawQuery); err != nil {
		return r, err
	}
	if err := s.room(x.route); err != nil {
		return r, err
	}
	if x.Watch != nil {
		ctx = firemode.WithStopwatch(ctx, x.Watch)
	}
	r = r.WithContext(ctx)
	x.Watch.Lap(firemode.StageOther)
	err = s.takeBody(w, r, x)
	x.Watch.Lap(firemode.StageBody)
	if err != nil {
		return r, err
	}
	if r.Method != http.MethodGet && !x.route.Body.Streamed {
		ctx = stay(ctx, x)
	}
	if err := s.claimKey(r, x); err != nil {
		return r, err
	}
	if x.Claim != nil {
		ctx = store.WithIdempotency(ctx, x.Claim)
	}
	return r.WithContext(ctx), nil
}

// workTimeout is how long a request that has been received whole may take. It is longer than any transaction may.
const workTimeout = time.Minute

// stay returns a context that does not end when the sender hangs up: what has been received whole is done whole, for a phone that
// loses the network then will ask for the answer later.
func stay(ctx context.Context, x *State) context.Context {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), workTimeout)
	x.atEnd(cancel)
	return ctx
}

// identify says who asks and refuses a role that may not.
func (s *Server) identify(r *http.Request, x *State) (context.Context, error) {
	ctx := r.Context()
	if x.route.Permission == nil {
		return ctx, nil
	}
	token, err := bearer(r)
	if err != nil {
		return nil, err
	}
	if x.Caller, err = s.authenticate(ctx, token); err != nil {
		return nil, err
	}
	if !x.route.Permission.Allows(x.Caller.Principal.Role) {
		return nil, firemode.Forbidden("the role %s may not do this", x.Caller.Principal.Role)
	}
	return firemode.WithPrincipal(ctx, x.Caller.Principal), nil
}

func bearer(r *http.Request) (string, error) {
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return "", firemode.Unauthenticated("a bearer token is needed: Authorization: Bearer <access token>")
	}
	return strings.TrimSpace(token), nil
}

// acceptable refuses a request whose Accept excludes what the route gives.
func acceptable(r *http.Request, rt *Route) error {
	accept := strings.Join(r.Header.Values("Accept"), ",")
	if accept == "" {
		return nil
	}
	given := rt.gives()
	for item := range strings.SplitSeq(accept, ",") {
		media, params, err := mime.ParseMediaType(strings.TrimSpace(item))
		if err != nil || params["q"] == "0" {
			continue
		}
		major, _, _ := strings.Cut(given, "/")
		if media == "*/*" || media == major+"/*" || media == given || media == MediaLines && rt.Lines {
			return nil
		}
	}
	return Failure(firemode.CodeNotAcceptable, "this path answers %s, which the Accept header excludes", given)
}

// readable refuses a query that is not well formed, or that holds what no text of ours does.
func readable(query string) error {
	values, err := url.ParseQuery(query)
	if err != nil {
		return firemode.Malformed("the query of the address cannot be read")
	}
	for name, texts := range values {
		for _, text := range texts {
			if !utf8.ValidString(text) || strings.Contains(text, "\x00") {
				e := firemode.Malformed("the query of the address holds what is no text")
				e.Details = []firemode.Detail{{Field: name, Reason: "must be UTF-8 without the character U+0000"}}
				return e
			}
		}
	}
	return nil
}

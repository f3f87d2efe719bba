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

// admit returns handle behind the checks that its route asks for: authentication, the permission of
// the role, Accept, the query, load, the body and the Idempotency-Key, in this order.
func (s *Server) admit(rt *Route, handle http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		x := StateOf(r.Context())
		x.route = rt
		if rt.Critical {
			x.Watch = &firemode.Stopwatch{}
			x.Watch.Start(s.now, x.started)
		}
		r, err := s.admitted(w, r, x) //nolint:contextcheck // the context travels in r
		if err != nil {
			writeProblem(w, r, err)
			return
		}
		handle(w, r)
	}
}

// admitted returns the request that the handler gets, whose context carries what the checks found.
func (s *Server) admitted(w http.ResponseWriter, r *http.Request, x *State) (*http.Request, error) {
	ctx, err := s.identify(r, x)
	if err != nil {
		return r, err
	}
	if err := checkAccept(r, x.route); err != nil {
		return r, err
	}
	if x.route.Lines {
		w.Header().Add("Vary", "Accept")
		x.Lines = wantsLines(r, x.route)
	}
	if err := checkQuery(r.URL.RawQuery); err != nil {
		return r, err
	}
	if err := s.load.admissionCheck(x.route); err != nil {
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
		ctx = detachContext(ctx, x)
	}
	if err := s.keys.claim(r, x); err != nil {
		return r, err
	}
	if x.Claim != nil {
		ctx = store.WithIdempotency(ctx, x.Claim)
	}
	return r.WithContext(ctx), nil
}

// workTimeout is how long a request may take once its body is complete. It is longer than any
// transaction may take.
const workTimeout = time.Minute

// detachContext returns a context that does not end when the client disconnects. A request that was
// received completely is processed completely: a phone that loses its network then retries later,
// and gets the stored response.
func detachContext(ctx context.Context, x *State) context.Context {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), workTimeout)
	x.atEnd(cancel)
	return ctx
}

// identify returns a context with the caller. It refuses a caller whose role lacks the permission.
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

// checkAccept refuses a request whose Accept header excludes the media types of the route.
func checkAccept(r *http.Request, rt *Route) error {
	accept := strings.Join(r.Header.Values("Accept"), ",")
	if accept == "" {
		return nil
	}
	offered := rt.responseMedia()
	for item := range strings.SplitSeq(accept, ",") {
		media, params, err := mime.ParseMediaType(strings.TrimSpace(item))
		if err != nil || params["q"] == "0" {
			continue
		}
		major, _, _ := strings.Cut(offered, "/")
		if media == "*/*" || media == major+"/*" || media == offered || media == MediaLines && rt.Lines {
			return nil
		}
	}
	return Failure(firemode.CodeNotAcceptable, "this path answers %s, which the Accept header excludes", offered)
}

// checkQuery refuses a query that cannot be parsed, or whose values are not text that a database
// keeps.
func checkQuery(query string) error {
	values, err := url.ParseQuery(query)
	if err != nil {
		return firemode.Malformed("the query of the URL cannot be parsed")
	}
	for name, texts := range values {
		for _, text := range texts {
			if !utf8.ValidString(text) || strings.Contains(text, "\x00") {
				e := firemode.Malformed("a value in the query of the URL is not text")
				e.Details = []firemode.Detail{{Field: name, Reason: "must be UTF-8 without the character U+0000"}}
				return e
			}
		}
	}
	return nil
}

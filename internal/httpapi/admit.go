package httpapi

import (
	"context"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"firemode"
	"firemode/internal/identity"
	"firemode/internal/store"
)

// admit is what stands before every handler: who asks, whether that role may, whether we can answer in a form that is wanted,
// whether what it would write can be written soon, what the body says, and whether the same request has been seen before. The handler runs with a context that carries it all.
func (a *API) admit(rt *Route, handle http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		x := exchangeOf(r.Context())
		x.route = rt
		if rt.Critical {
			x.watch = &firemode.Stopwatch{}
			x.watch.Start(a.Now, x.started)
		}
		r, err := a.admitted(w, r, x) //nolint:contextcheck // it travels in r
		if err != nil {
			a.fail(w, r, err)
			return
		}
		handle(w, r)
	}
}

func (a *API) admitted(w http.ResponseWriter, r *http.Request, x *exchange) (*http.Request, error) {
	ctx, err := a.identify(r, x)
	if err != nil {
		return r, err
	}
	if err := acceptable(r, x.route); err != nil {
		return r, err
	}
	if x.route.Lines {
		w.Header().Add("Vary", "Accept")
		x.lines = wantsLines(r, x.route)
	}
	if err := readable(r.URL.RawQuery); err != nil {
		return r, err
	}
	if err := a.room(x.route); err != nil {
		return r, err
	}
	if x.watch != nil {
		ctx = firemode.WithStopwatch(ctx, x.watch)
	}
	r = r.WithContext(ctx)
	x.watch.Lap(firemode.StageOther)
	err = a.takeBody(w, r, x)
	x.watch.Lap(firemode.StageBody)
	if err != nil {
		return r, err
	}
	if r.Method != http.MethodGet && !x.route.Body.Streamed {
		ctx = stay(ctx, x)
	}
	if err := a.claimKey(r, x); err != nil {
		return r, err
	}
	if x.claim != nil {
		ctx = store.WithIdempotency(ctx, x.claim)
	}
	return r.WithContext(ctx), nil
}

// workTimeout is how long a request that has been received whole may take. It is longer than any transaction may.
const workTimeout = time.Minute

// stay returns a context that does not end when the sender hangs up: what has been received whole is done whole, for a phone that
// loses the network then will ask for the answer later.
func stay(ctx context.Context, x *exchange) context.Context {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), workTimeout)
	x.atEnd(cancel)
	return ctx
}

// identify says who asks and refuses a role that may not.
func (a *API) identify(r *http.Request, x *exchange) (context.Context, error) {
	ctx := r.Context()
	if x.route.Permission == "" {
		return ctx, nil
	}
	token, err := bearer(r)
	if err != nil {
		return nil, err
	}
	x.principal, x.claims, err = a.Services.Auth.Authenticate(ctx, token)
	if err != nil {
		return nil, err
	}
	if !identity.Allowed(x.route.Permission, x.principal.Role) {
		return nil, firemode.Forbidden("the role %s may not do this", x.principal.Role)
	}
	return firemode.WithPrincipal(ctx, x.principal), nil
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
		if media == "*/*" || media == major+"/*" || media == given || media == mediaLines && rt.Lines {
			return nil
		}
	}
	return failure(firemode.CodeNotAcceptable, "this path answers %s, which the Accept header excludes", given)
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

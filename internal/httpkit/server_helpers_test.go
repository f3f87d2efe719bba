package httpkit

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"firemode"
	"firemode/internal/httpkit/httpkittest"
	"firemode/internal/telemetry"
)

// kit is a Server on the routes of a test, with what it reports.
type kit struct {
	*Server
	logs *httpkittest.Logs
	seen *httpkittest.Observations
}

// newKit returns a Server on routes. A bearer token is the role of its caller, of user "u-" and the
// role in organisation "a".
func newKit(t testing.TB, routes []Route, change ...func(*Config)) *kit {
	t.Helper()
	k := &kit{logs: &httpkittest.Logs{}, seen: &httpkittest.Observations{}}
	log, err := telemetry.NewLogger(k.logs, "text", "debug")
	must(t, err)
	c := Config{
		Description: Description{Info: &huma.Info{Title: "Test", Version: "1"}}, Key: make([]byte, 32), Now: time.Now,
		NewID:   newID,
		Metrics: k.seen, Report: Report{Logger: log},
		Authenticate: func(_ context.Context, token string) (Caller, error) {
			role := firemode.Role(token)
			if !role.Valid() {
				return Caller{}, firemode.Unauthenticated("unknown token")
			}
			return Caller{Principal: firemode.Principal{Org: "a", User: firemode.UserID("u-" + token), Role: role}}, nil
		},
	}
	for _, f := range change {
		f(&c)
	}
	k.Server, err = New(c, routes)
	must(t, err)
	return k
}

// only is a Permission of one role.
type only firemode.Role

func (o only) Allows(role firemode.Role) bool { return firemode.Role(o) == role }

// do answers a request by the real handler.
func (k *kit) do(method, path, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	rec := httptest.NewRecorder()
	k.ServeHTTP(rec, r)
	return rec
}

// rawRoute is a route of a test that needs no token.
func rawRoute(method, pattern string, handle func(http.ResponseWriter, *http.Request) error) Route {
	return Route{
		Method: method, Pattern: pattern, ID: strings.Trim(strings.ReplaceAll(pattern, "/", "-"), "-"),
		Tag: "test", Serve: Raw(handle, nil),
	}
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

package httpapi

import (
	"context"
	"crypto/rand"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"
	"github.com/go-json-experiment/json"
	"github.com/google/uuid"
	"go.opentelemetry.io/otel/trace"

	"firemode"
	"firemode/internal/assets"
	"firemode/internal/bundles"
	"firemode/internal/catalogue"
	"firemode/internal/defects"
	"firemode/internal/httpkit"
	"firemode/internal/httpkit/httpkittest"
	"firemode/internal/identity"
	"firemode/internal/keys"
	"firemode/internal/record/ledger"
	"firemode/internal/record/merge"
	"firemode/internal/record/view"
	"firemode/internal/store"
	"firemode/internal/store/postgres"
	"firemode/internal/store/storetest/pgtest"
	"firemode/internal/telemetry"
	"firemode/internal/visits"
)

// world is an API on a real store, with two organisations and a user of every role in the first.
type world struct {
	*API
	t      testing.TB
	store  store.Database
	config Config
	logs   *httpkittest.Logs
	seen   *observations
	keysOf *keys.Keys
	tokens map[string]string // by username
}

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

const password = "correct horse"

// observations keeps what the API reports to the metrics.
type observations struct{ httpkittest.Observations }

func (o *observations) BundleSent(context.Context, string, int64) {}

// routes is the list of the API.
func routes() []httpkit.Route { return (&API{}).routes() }

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// newWorld returns a world on a SQLite database of its own.
func newWorld(t testing.TB, change ...func(*Config)) *world {
	t.Helper()
	return populated.world(t, change...)
}

// newFurnished returns a newWorld with what furnish makes.
func newFurnished(t testing.TB, change ...func(*Config)) *world {
	t.Helper()
	return furnished.world(t, change...)
}

// onBothEngines runs test on a world of its own on each engine.
func onBothEngines(t *testing.T, test func(*testing.T, *world)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, newWorld(t))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		s, err := postgres.Open(t.Context(), postgres.Config{URL: pgtest.New(t)})
		must(t, err)
		t.Cleanup(func() { must(t, s.Close()) })
		test(t, newWorldOn(t, s))
	})
}

// newWorldOn returns a world on s, which must be migrated and empty.
func newWorldOn(t testing.TB, s store.Database, change ...func(*Config)) *world {
	t.Helper()
	w := assemble(t, s, t.TempDir(), change...)
	must(t, w.config.Services.Catalogue.Seed(t.Context()))
	w.populate()
	return w
}

// assemble returns an API on s with the keys in a folder, and no tokens.
func assemble(t testing.TB, s store.Database, keyFolder string, change ...func(*Config)) *world {
	t.Helper()
	k, err := keys.Open(keyFolder)
	must(t, err)
	out, seen := &httpkittest.Logs{}, &observations{}
	log, err := telemetry.NewLogger(out, "text", "debug")
	must(t, err)
	c := Config{
		CursorKey: k.Cursor(), Now: time.Now, NewID: newID, Metrics: seen,
		Report:    httpkit.Report{Logger: log},
		Operation: Operation{Checks: map[string]httpkit.Check{"store": s.Ping}},
	}
	c.Services = servicesOn(t, s, k, nil)
	for _, f := range change {
		f(&c)
	}
	a, err := New(c)
	must(t, err)
	return &world{API: a, t: t, store: s, config: c, logs: out, seen: seen, keysOf: k, tokens: map[string]string{}}
}

// tracedOn has the API and its services on s tell traces what they do.
func tracedOn(t testing.TB, s store.Database, traces trace.TracerProvider) func(*Config) {
	return func(c *Config) {
		k, err := keys.Open(t.TempDir())
		must(t, err)
		c.Report.Traces, c.Services = traces, servicesOn(t, s, k, traces)
	}
}

func servicesOn(t testing.TB, s store.Database, k *keys.Keys, traces trace.TracerProvider) Services {
	t.Helper()
	var all Services
	var err error
	cheap := argon2id.Params{Memory: 8, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 16}
	all.Auth, err = identity.New(s, identity.Config{Now: time.Now, NewID: newID, Keys: k, HashParams: cheap})
	must(t, err)
	must(t, all.Auth.Load(t.Context()))
	all.Catalogue, err = catalogue.New(s, catalogue.Config{NewID: newID, Traces: traces})
	must(t, err)
	t.Cleanup(all.Catalogue.Close)
	all.Buildings, err = assets.New(s, assets.Config{NewID: newID})
	must(t, err)
	signer, err := ledger.NewSigner(k.History())
	must(t, err)
	all.Merge, err = merge.New(s, merge.Config{
		Signer: signer, Now: time.Now, Rules: all.Catalogue, Traces: traces,
		Consequences: []merge.Consequences{defects.Consequences{NewID: newID}},
	})
	must(t, err)
	all.Views, all.Defects = view.New(s), defects.New(s, newID)
	all.Visits, err = visits.New(s, visits.Config{NewID: newID, Rand: rand.Reader, Rules: all.Catalogue, Merge: all.Merge})
	must(t, err)
	t.Cleanup(all.Merge.Close)
	all.Bundles, err = bundles.New(s, bundles.Config{
		Views: all.Views, Rules: all.Catalogue, Encode: NewBundleEncoder(k.Cursor()), Now: time.Now, Traces: traces,
	})
	must(t, err)
	return all
}

// populate makes organisation "a" with a user of every role, named as the role, and "b" with
// "stranger", an admin.
func (w *world) populate() {
	w.organisation("a")
	w.organisation("b")
	for _, role := range firemode.Roles {
		w.user("a", string(role), role)
	}
	w.user("b", "stranger", firemode.RoleAdmin)
}

func (w *world) organisation(id firemode.OrgID) {
	w.t.Helper()
	must(w.t, w.Services.Auth.AddOrganisation(context.Background(), id, "Organisation "+string(id)))
}

func (w *world) user(org firemode.OrgID, name string, role firemode.Role) {
	w.t.Helper()
	w.userWithID(org, "u-"+name, name, role)
}

func (w *world) userWithID(org firemode.OrgID, id, name string, role firemode.Role) {
	w.t.Helper()
	ctx := identity.AsOperator(context.Background(), org)
	_, err := w.Services.Auth.CreateUser(ctx, identity.NewUser{
		ID: firemode.UserID(id), Username: name,
		FullName: "User " + name, Role: role, Password: password,
	})
	must(w.t, err)
	token, err := w.Services.Auth.AccessToken(context.Background(), name)
	must(w.t, err)
	w.tokens[name] = token
}

// request is one request of a scenario.
type request struct {
	as     string // username, "" for nobody
	method string
	path   string
	body   string
	header map[string]string
}

func (q request) build(w *world) *http.Request {
	var body io.Reader
	if q.body != "" {
		body = strings.NewReader(q.body)
	}
	r := httptest.NewRequest(q.method, "/", body)
	target, err := r.URL.Parse(q.path)
	must(w.t, err)
	r.URL.Path, r.URL.RawPath, r.URL.RawQuery = target.Path, target.RawPath, target.RawQuery
	if q.body != "" {
		r.Header.Set("Content-Type", httpkit.MediaJSON)
	}
	if q.as != "" {
		r.Header.Set("Authorization", "Bearer "+w.tokens[q.as])
	}
	for name, value := range q.header {
		r.Header.Set(name, value)
	}
	if claimed, err := strconv.ParseInt(r.Header.Get("Content-Length"), 10, 64); err == nil {
		r.ContentLength = claimed
	}
	return r
}

// do answers q by the real handler.
func (w *world) do(q request) *httptest.ResponseRecorder {
	w.t.Helper()
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, q.build(w))
	return rec
}

// get is do for the JSON object that is answered, which must have the status.
func (w *world) get(status int, q request) map[string]any {
	w.t.Helper()
	rec := w.do(q)
	if rec.Code != status {
		w.t.Fatalf("%s %s as %q: status %d, want %d: %s", q.method, q.path, q.as, rec.Code, status, rec.Body)
	}
	if rec.Body.Len() == 0 {
		return nil
	}
	var v map[string]any
	if err := json.Unmarshal(rec.Body.Bytes(), &v); err != nil {
		w.t.Fatalf("%s %s: %v: %s", q.method, q.path, err, rec.Body)
	}
	return v
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

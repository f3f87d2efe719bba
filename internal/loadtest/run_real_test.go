package loadtest

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"
	"github.com/google/uuid"

	"firemode"
	"firemode/internal/assets"
	"firemode/internal/bundles"
	"firemode/internal/catalogue"
	"firemode/internal/defects"
	"firemode/internal/httpapi"
	"firemode/internal/httpkit"
	"firemode/internal/identity"
	"firemode/internal/keys"
	"firemode/internal/record/ledger"
	"firemode/internal/record/merge"
	"firemode/internal/record/view"
	"firemode/internal/store/storetest"
	"firemode/internal/telemetry"
	"firemode/internal/visits"
)

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// realAPI is the handler of the service on a SQLite store, with session 123 and technicians ann and
// ben.
func realAPI(t *testing.T) http.Handler {
	t.Helper()
	store, newID := storetest.OpenSQLite(t), func() string { return uuid.Must(uuid.NewV7()).String() }
	k := must(keys.Open(t.TempDir()))(t)
	metrics := must(telemetry.NewMetrics(telemetry.Config{}))(t)
	cheap := argon2id.Params{Memory: 8, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 16}
	var all httpapi.Services
	all.Auth = must(identity.New(store, identity.Config{Now: time.Now, NewID: newID, Keys: k, HashParams: cheap}))(t)
	all.Catalogue = must(catalogue.New(store, catalogue.Config{NewID: newID}))(t)
	t.Cleanup(all.Catalogue.Close)
	all.Buildings = must(assets.New(store, assets.Config{NewID: newID}))(t)
	signer := must(ledger.NewSigner(k.History()))(t)
	all.Merge = must(merge.New(store, merge.Config{
		Signer: signer, Now: time.Now, Rules: all.Catalogue, Meter: metrics,
		Consequences: []merge.Consequences{defects.Consequences{NewID: newID}},
	}))(t)
	all.Views, all.Defects = view.New(store), defects.New(store, newID)
	all.Visits = must(
		visits.New(store, visits.Config{NewID: newID, Rand: rand.Reader, Rules: all.Catalogue, Merge: all.Merge}),
	)(t)
	t.Cleanup(all.Merge.Close)
	all.Bundles = must(bundles.New(store, bundles.Config{
		Views: all.Views, Rules: all.Catalogue, Encode: httpapi.NewBundleEncoder(k.Cursor()), Now: time.Now,
	}))(t)
	populate(t, all)
	return must(httpapi.New(httpapi.Config{
		CursorKey: k.Cursor(),
		Now:       time.Now,
		NewID:     newID,
		Metrics:   metrics,
		Services:  all,
		Report:    httpkit.Report{Logger: slog.New(slog.DiscardHandler)},
		Operation: httpapi.Operation{
			Checks:      map[string]httpkit.Check{"store": store.Ping},
			MetricsPage: metrics.Handler(),
		},
	}))(t)
}

func populate(t *testing.T, all httpapi.Services) {
	t.Helper()
	operator := identity.AsOperator(t.Context(), "org")
	err := errors.Join(
		all.Auth.Load(t.Context()), all.Catalogue.Seed(t.Context()),
		all.Auth.AddOrganisation(t.Context(), "org", "Organisation"),
	)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ann", "ben"} {
		must(all.Auth.CreateUser(operator, identity.NewUser{
			ID:       firemode.UserID(name),
			Username: name,
			FullName: name,
			Role:     firemode.RoleTechnician,
			Password: "correct horse",
		}))(t)
	}
	must(all.Buildings.Create(operator, assets.NewBuilding{ID: "tower", Name: "Tower", Address: "1 Quay"}))(t)
	must(
		all.Visits.Create(
			operator, visits.Draft{ID: "123", Building: "tower", Name: "Visit", Frequency: firemode.SixMonthly},
		),
	)(t)
}

// short runs a load of a few seconds against handler.
func short(t *testing.T, handler http.Handler, change func(*Config)) Report {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	c := Config{
		Target:    server.URL,
		Accounts:  []Account{{"ann", "correct horse"}, {"ben", "correct horse"}},
		Users:     12,
		SpawnRate: 100,
		Duration:  3 * time.Second,
		Session:   "123",
		Item:      "AS1851-2012-FE-01",
		Condition: "pressure_low",
		Run:       "run-" + strings.ToLower(rand.Text()[:8]),
		Now:       time.Now,
		P95:       time.Minute, // the speed of this machine is not tested
	}
	if change != nil {
		change(&c)
	}
	r, err := Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRun_HonestServer_Passes(t *testing.T) {
	t.Parallel()
	r := short(t, realAPI(t), func(c *Config) { c.Devices = 0.5 })
	if !r.Passed || !r.Complete || r.Failed != 0 || r.Readback.Found != r.Readback.Acknowledged {
		t.Errorf(
			"passed %v, complete %v, %d failed: %+v %+v %+v", r.Passed, r.Complete, r.Failed, r.Requirements,
			r.Failures, r.Readback,
		)
	}
	// Six devices and two people without one have each their newest value shown, if they have
	// submitted any.
	if r.Readback.Shown < 3 || r.Readback.Shown > 8 || r.Readback.Shown+r.Readback.Superseded != r.Readback.Found {
		t.Errorf("read back %+v", r.Readback)
	}
	if r.Requests < 12*2 || r.Endpoints[Results].Requests != r.Readback.Acknowledged {
		t.Errorf(
			"%d requests, %d of them results, %d acknowledged", r.Requests, r.Endpoints[Results].Requests,
			r.Readback.Acknowledged,
		)
	}
	if !strings.HasPrefix(r.Server.Go, "go1.") || r.Server.MaxProcs < 1 || r.LargestBytes < 100 {
		t.Errorf("server %+v, bundle of %d bytes", r.Server, r.LargestBytes)
	}
}

func TestRun_OpenModel_ExactNumberOfRequests(t *testing.T) {
	t.Parallel()
	r := short(t, realAPI(t), func(c *Config) { c.Rate, c.Duration = 170, 2*time.Second })
	if !r.Passed || r.Requests != 340 || r.Endpoints[Results].Requests != 100 || r.Readback.Found != 100 {
		t.Errorf(
			"passed %v: %d requests, %d results: %+v %+v", r.Passed, r.Requests, r.Endpoints[Results].Requests,
			r.Requirements, r.Failures,
		)
	}
}

// spoilt passes requests on to an honest server, but for the fifth submission, with which it does
// something else.
type spoilt struct {
	http.Handler
	submissions atomic.Int64
	instead     func(honest http.Handler, w http.ResponseWriter, r *http.Request)
}

func (s *spoilt) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/results") && s.submissions.Add(1) == 5 {
		s.instead(s.Handler, w, r)
		return
	}
	s.Handler.ServeHTTP(w, r)
}

const acknowledgement = `{"status": "merged", "applied": 1, "results": [{"index": 0, "status": "applied"}]}`

func TestRun_LostOrDoubledChange_FailsAndNamesIt(t *testing.T) {
	for name, c := range map[string]struct {
		instead func(http.Handler, http.ResponseWriter, *http.Request)
		fate    string
	}{
		"loses": {func(_ http.Handler, w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, acknowledgement)
		}, fateMissing},
		"doubles": {func(honest http.Handler, w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			again := r.Clone(r.Context())
			again.Header.Set("Idempotency-Key", "another")
			again.Body = io.NopCloser(bytes.NewReader(body))
			honest.ServeHTTP(httptest.NewRecorder(), again)
			r.Body = io.NopCloser(bytes.NewReader(body))
			honest.ServeHTTP(w, r)
		}, fateDoubled},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := short(
				t, &spoilt{Handler: realAPI(t), instead: c.instead},
				func(c *Config) { c.Rate, c.Duration = 170, time.Second },
			)
			if r.Passed || r.Readback.Acknowledged != 50 || r.Readback.LostCount != 1 || r.Readback.Found != 49 {
				t.Fatalf("passed %v: %+v", r.Passed, r.Readback)
			}
			lost := r.Readback.Lost[0]
			if lost.Fate != c.fate || !strings.HasPrefix(lost.Value, r.Run) ||
				!strings.Contains(r.log().Line, lost.Value) {
				t.Errorf("lost %+v, %s", lost, r.log().Line)
			}
			for _, q := range r.Requirements {
				if q.Passed != (q.Name != "log") {
					t.Errorf("%s: passed %v", q.Line, q.Passed)
				}
			}
		})
	}
}

func TestRun_FailedRequest_CountedWithItsReason(t *testing.T) {
	t.Parallel()
	broken := &spoilt{Handler: realAPI(t), instead: func(_ http.Handler, w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
		io.WriteString(w, `{"error_code": "FIRE-503", "message": "come back later"}`)
	}}
	r := short(t, broken, func(c *Config) { c.Rate, c.Duration = 170, time.Second })
	want := FailureCount{Failure{"results", "status 503 FIRE-503: come back later"}, 1}
	if r.Passed || r.Failed != 1 || len(r.Failures) != 1 || r.Failures[0] != want {
		t.Errorf("passed %v, failures %v, want %v", r.Passed, r.Failures, want)
	}
	if r.Readback.Acknowledged != 49 || r.Readback.LostCount != 0 {
		t.Errorf("read back %+v", r.Readback)
	}
}

func TestRun_InvalidSettings_Error(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(realAPI(t))
	t.Cleanup(server.Close)
	for want, change := range map[string]func(*Config){
		"users must be":               func(c *Config) { c.Users = 0 },
		"not the URL of a server":     func(c *Config) { c.Target = "localhost:8080" },
		"is not this machine":         func(c *Config) { c.Target = "http://192.0.2.1:8080" },
		"log in as ann":               func(c *Config) { c.Accounts[0].Password = "wrong" },
		"ann sees no session 124":     func(c *Config) { c.Session = "124" },
		"classify AS1851-2012-FE-01 ": func(c *Config) { c.Condition = "haunted" },
		"devices are more than":       func(c *Config) { c.Users, c.Devices = 500, 0.5 },
	} {
		c := Config{
			Target:    server.URL,
			Accounts:  []Account{{"ann", "correct horse"}, {"ben", "correct horse"}},
			Users:     2,
			SpawnRate: 1,
			Duration:  time.Second,
			Session:   "123",
			Item:      "AS1851-2012-FE-01",
			Condition: "pressure_low",
			Run:       "run",
			Now:       time.Now,
		}
		change(&c)
		_, err := Run(t.Context(), c)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, want %q in it", err, want)
		}
	}
}

package client

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"firemode"
)

func TestNew_NotAServerURL_Error(t *testing.T) {
	for _, url := range []string{"", "localhost:8080", "ftp://x", "http://", "http://a b"} {
		if _, err := New(Config{BaseURL: url}); err == nil {
			t.Errorf("%q is accepted as the URL of a server", url)
		}
	}
}

// Every method calls one endpoint, with the parameters where the API expects them.
func TestClient_Methods_CallTheirEndpoint(t *testing.T) {
	for want, call := range map[string]func(context.Context, *Client) error{
		`POST /v1/auth/login {"username":"u","password":"p"}`: func(ctx context.Context, c *Client) error {
			return c.Login(ctx, "u", "p")
		},
		"POST /v1/auth/logout": func(ctx context.Context, c *Client) error { return c.Logout(ctx) },
		"GET /metrics":         func(ctx context.Context, c *Client) error { return c.Metrics(ctx, io.Discard) },
		"GET /v1/users/me":     only((*Client).Me),
		"GET /v1/users/me/audits?limit=100": func(ctx context.Context, c *Client) error {
			return errOf(Collect(c.MyAudits(ctx)))
		},
		`POST /v1/users {"username":"u","role":"manager","password":"p"}`: func(ctx context.Context, c *Client) error {
			return errOf(c.CreateUser(ctx, NewUser{Username: "u", Role: firemode.RoleManager, Password: "p"}))
		},
		`POST /v1/buildings {"site_name":"n","site_address":"a"}`: func(ctx context.Context, c *Client) error {
			return errOf(c.CreateBuilding(ctx, NewBuilding{Name: "n", Address: "a"}))
		},
		"GET /v1/buildings?limit=100&q=x": func(ctx context.Context, c *Client) error {
			return errOf(Collect(c.Buildings(ctx, "x")))
		},
		"GET /v1/buildings/b": func(ctx context.Context, c *Client) error { return errOf(c.Building(ctx, "b")) },
		`POST /v1/buildings/b/assets {"asset_id":"a","asset_type":"t"}`: func(ctx context.Context, c *Client) error {
			return errOf(c.CreateAsset(ctx, "b", NewAsset{ID: "a", Type: "t"}))
		},
		"GET /v1/buildings/b/assets?asset_type=t&level=L&limit=100&q=x&status=s&system=FE": func(
			ctx context.Context, c *Client,
		) error {
			f := AssetFilter{System: "FE", Level: "L", Type: "t", Status: "s", Text: "x"}
			return errOf(Collect(c.Assets(ctx, "b", f)))
		},
		"GET /v1/buildings/b/assets/a%2F1": func(ctx context.Context, c *Client) error {
			return errOf(c.Asset(ctx, "b", "a/1"))
		},
		"POST /v1/buildings/b/assets/import asset_id": func(ctx context.Context, c *Client) error {
			return errOf(c.ImportAssets(ctx, "b", strings.NewReader("asset_id"), false))
		},
		"GET /v1/buildings/b/assets/export": func(ctx context.Context, c *Client) error {
			return c.ExportAssets(ctx, "b", io.Discard)
		},
		"GET /v1/rules?frequency=yearly&limit=100&q=x&system=FE": func(ctx context.Context, c *Client) error {
			f := RuleFilter{System: "FE", Frequency: firemode.Yearly, Text: "x"}
			return errOf(Collect(c.Rules(ctx, f)))
		},
		"GET /v1/rules/r": func(ctx context.Context, c *Client) error { return errOf(c.Rule(ctx, "r")) },
		"GET /v1/rules/r/versions/1.0.0": func(ctx context.Context, c *Client) error {
			return errOf(c.RuleVersion(ctx, "r", "1.0.0"))
		},
		`POST /v1/classify {"item_code":"r","observed_condition":"c"}`: func(ctx context.Context, c *Client) error {
			return errOf(c.Classify(ctx, Finding{Code: "r", Condition: "c"}))
		},
		`POST /v1/tests/sessions {"building_id":"b","session_name":"n","frequency":"yearly"}`: func(
			ctx context.Context, c *Client,
		) error {
			return errOf(c.CreateSession(ctx, NewSession{Building: "b", Name: "n", Frequency: firemode.Yearly}))
		},
		"GET /v1/tests/sessions?building_id=b&date_from=f&date_to=t&limit=100&status=active&technician_id=u": func(
			ctx context.Context, c *Client,
		) error {
			active := []firemode.SessionStatus{firemode.SessionActive}
			f := SessionFilter{Statuses: active, Building: "b", Technician: "u", From: "f", To: "t"}
			return errOf(Collect(c.Sessions(ctx, f)))
		},
		"GET /v1/tests/sessions/s": func(ctx context.Context, c *Client) error { return errOf(c.Session(ctx, "s")) },
		`PATCH /v1/tests/sessions/s {"status":"completed","accept_gaps":true}`: func(
			ctx context.Context, c *Client,
		) error {
			p := SessionPatch{Status: firemode.SessionCompleted, AcceptGaps: true}
			return errOf(c.PatchSession(ctx, "s", "e", p))
		},
		"GET /v1/tests/sessions/s/items?level=L&limit=100&q=x&state=done&system=FE": func(
			ctx context.Context, c *Client,
		) error {
			done := []firemode.ItemState{firemode.ItemDone}
			return errOf(Collect(c.Items(ctx, "s", ItemFilter{Level: "L", System: "FE", States: done, Text: "x"})))
		},
		"GET /v1/tests/sessions/s/offline_bundle": func(ctx context.Context, c *Client) error {
			return errOf(c.Bundle(ctx, "s", BundleQuery{}))
		},
		`POST /v1/tests/sessions/s/results {"changes":[],"_sync_meta":{}}`: func(
			ctx context.Context, c *Client,
		) error {
			return errOf(c.SubmitResults(ctx, "s", "k", Submission{}))
		},
		"GET /v1/tests/sessions/s/results?limit=5&since=c": func(ctx context.Context, c *Client) error {
			return errOf(c.Results(ctx, "s", ResultsQuery{Since: "c", Limit: 5}))
		},
		"GET /v1/tests/sessions/s/history?limit=100&path=%2Fitems": func(ctx context.Context, c *Client) error {
			return errOf(Collect(c.History(ctx, "s", "/items")))
		},
		"GET /v1/tests/sessions/s/sync_status": func(ctx context.Context, c *Client) error {
			return errOf(c.SyncStatus(ctx, "s"))
		},
		"GET /v1/defects?building_id=b&classification=critical_defect&limit=100&session_id=s&status=open": func(
			ctx context.Context, c *Client,
		) error {
			f := DefectFilter{
				Building: "b", Session: "s",
				Statuses: []firemode.DefectStatus{firemode.DefectOpen},
				Classes:  []firemode.Class{firemode.ClassCritical},
			}
			return errOf(Collect(c.Defects(ctx, f)))
		},
		"GET /v1/defects/d": func(ctx context.Context, c *Client) error { return errOf(c.Defect(ctx, "d")) },
		`PATCH /v1/defects/d {"status":"closed"}`: func(ctx context.Context, c *Client) error {
			return errOf(c.PatchDefect(ctx, "d", "e", DefectPatch{Status: firemode.DefectClosed}))
		},
	} {
		s, api := play(t, Config{}, respond(200, `{}`))
		if err := call(t.Context(), api); err != nil {
			t.Errorf("%s: %v", want, err)
		}
		if got := strings.TrimSpace(s.paths()[0] + " " + s.received[0].body); got != want {
			t.Errorf("request %s, want %s", got, want)
		}
	}
}

// only adapts a method without parameters.
func only[T any](method func(*Client, context.Context) (T, error)) func(context.Context, *Client) error {
	return func(ctx context.Context, c *Client) error { return errOf(method(c, ctx)) }
}

func errOf[T any](_ T, err error) error { return err }

func TestConfig_Traces_OneSpanPerAttemptIsPropagated(t *testing.T) {
	spans := tracetest.NewSpanRecorder()
	provider := sdk.NewTracerProvider(sdk.WithSpanProcessor(spans))
	var parents []string
	traced := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			parents = append(parents, r.Header.Get("Traceparent"))
			w.WriteHeader(status)
			w.Write([]byte(`{}`)) //nolint:errcheck // the client says what it got
		}
	}
	config := Config{Traces: provider, Tokens: Tokens{Access: "token"}}
	_, c := play(t, config, traced(http.StatusServiceUnavailable), traced(http.StatusOK))
	ctx, above := provider.Tracer("test").Start(t.Context(), "above")
	if _, err := c.Me(ctx); err != nil {
		t.Fatal(err)
	}
	above.End()
	ended := spans.Ended()
	if len(ended) != 3 || len(parents) != 2 {
		t.Fatalf("%d spans and %d requests, want 3 and 2", len(ended), len(parents))
	}
	for i, s := range ended[:2] {
		sc := s.SpanContext()
		if want := "00-" + sc.TraceID().String() + "-" + sc.SpanID().String() + "-01"; parents[i] != want {
			t.Errorf("attempt %d sent %q, want %q", i, parents[i], want)
		}
		if s.SpanKind() != trace.SpanKindClient || s.Parent().SpanID() != above.SpanContext().SpanID() {
			t.Errorf("attempt %d is %v of %s", i, s.SpanKind(), s.Parent().SpanID())
		}
	}
}

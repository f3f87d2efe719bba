package httpapi

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"firemode"
	"firemode/internal/httpkit"
	"firemode/internal/httpkit/httpkittest"
	"firemode/internal/identity"
	"firemode/internal/visits"
)

func TestRoutes_EveryRouteHasAFixture(t *testing.T) {
	left := fixtures()
	for _, rt := range routes() {
		name := rt.Method + " " + rt.Pattern
		f, ok := left[name]
		if !ok {
			t.Errorf("%s has no line in fixtures", name)
		}
		if f.scope == ofNobody && strings.Contains(rt.Pattern, "{") {
			t.Errorf("%s names a thing: whose is it?", name)
		}
		delete(left, name)
	}
	if len(left) > 0 {
		t.Errorf("fixtures of no route: %v", slices.Collect(maps.Keys(left)))
	}
}

func TestPolicy_EveryPermissionIsAskedFor(t *testing.T) {
	asked := map[identity.Permission]string{
		identity.ResultOnBehalf: "submit-results", // asked for by the handler, of a batch that names another user
	}
	for _, rt := range routes() {
		if p, ok := rt.Permission.(identity.Permission); ok {
			asked[p] = rt.ID
		}
	}
	for _, p := range identity.Permissions() {
		if asked[p] == "" {
			t.Errorf("no route asks for the permission %s", p)
		}
		delete(asked, p)
	}
	if len(asked) > 0 {
		t.Errorf("routes ask for permissions that the policy does not have: %v", asked)
	}
}

func TestRoutes_WithoutToken_401(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, rt := range routes() {
		if rt.Permission == nil {
			continue
		}
		for name, token := range map[string]string{
			"none": "", "broken": "Bearer x.y.z", "other scheme": "Basic YTpi",
			"empty": "Bearer ",
		} {
			q := fixtures()[rt.Method+" "+rt.Pattern].request(rt, "")
			if token != "" {
				q.header["Authorization"] = token
			}
			rec := w.do(q)
			httpkittest.WantProblem(t, rec, http.StatusUnauthorized)
			if got := rec.Header().Get("WWW-Authenticate"); got != `Bearer realm="firemode"` {
				t.Errorf("%s %s with token %s: WWW-Authenticate %q", rt.Method, rt.Pattern, name, got)
			}
		}
	}
}

// TestRoutes_EveryRole walks every route as every role, from a foreign organisation, and for a
// building that the owner does not own.
func TestRoutes_EveryRole(t *testing.T) {
	t.Parallel()
	for _, rt := range routes() {
		t.Run(rt.Method+strings.ReplaceAll(rt.Pattern, "/", " "), func(t *testing.T) {
			t.Parallel()
			f := fixtures()[rt.Method+" "+rt.Pattern]
			var w *world
			for _, role := range firemode.Roles {
				// What a role has changed must not decide what the next one gets.
				if w == nil || (rt.Method != http.MethodGet && rt.Permission != nil && rt.Permission.Allows(role)) {
					w = newFurnished(t)
				}
				rec := w.do(f.request(rt, string(role)))
				if want := f.wanted(rt, role, "a"); rec.Code != want {
					t.Errorf("as %s: status %d, want %d: %s", role, rec.Code, want, rec.Body)
				}
				if f.scope == ofNobody || role != firemode.RoleAdmin {
					continue
				}
				rec = w.do(f.request(rt, "stranger"))
				httpkittest.WantProblem(t, rec, http.StatusNotFound)
			}
		})
	}
}

// fixture is what the walk needs to know about a route: a path to a thing of organisation "a" that
// the owner does not own, and a body that is right.
type fixture struct {
	path  string
	body  string
	media string // of the body, JSON unless told
	// header goes with the request.
	header map[string]string
	// scope says to whom the thing belongs, and so who gets 404.
	scope belonging
	// status that an admin of "a" gets.
	status int
}

type belonging int

const (
	ofNobody       belonging = iota // the route names nothing that belongs to somebody
	ofOrganisation                  // another organisation gets 404
	ofBuilding                      // so does an owner whose building it is not
	ofSession                       // and so does a technician whom the session does not name
)

// fixtures has a line for every route. A new route without one fails the test.
func fixtures() map[string]fixture {
	return map[string]fixture{
		"POST /v1/auth/login": {
			path: "/v1/auth/login",
			body: `{"username":"admin","password":"correct horse"}`, status: 200,
		},
		"POST /v1/auth/refresh": {
			path: "/v1/auth/refresh", body: `{"refresh_token":"none"}`,
			status: 401,
		},
		"POST /v1/auth/logout":    {path: "/v1/auth/logout", status: 204},
		"GET /v1/users/me":        {path: "/v1/users/me", status: 200},
		"GET /v1/users/me/audits": {path: "/v1/users/me/audits", status: 200},
		"POST /v1/users/me/password": {
			path: "/v1/users/me/password",
			body: `{"old_password":"wrong","new_password":"battery staple"}`, status: 422,
		},
		"POST /v1/users": {
			path: "/v1/users",
			body: `{"username":"new","role":"owner","password":"battery staple"}`, status: 201,
		},
		"GET /v1/users":      {path: "/v1/users", status: 200},
		"GET /v1/users/{id}": {path: "/v1/users/u-owner", scope: ofOrganisation, status: 200},
		"PATCH /v1/users/{id}": {
			path: "/v1/users/u-owner", body: `{"full_name":"Changed"}`,
			scope: ofOrganisation, status: 200,
		},
		"POST /v1/rules": {
			path: "/v1/rules",
			body: `{"rule_code":"NEW","version":"1.0.0","rule_name":"New","rule_schema":{"classification_mappings":{"broken":"critical_defect"}}}`, status: 201,
		},
		"GET /v1/rules":                      {path: "/v1/rules", status: 200},
		"GET /v1/rules/{rule_code}":          {path: "/v1/rules/OWN", scope: ofOrganisation, status: 200},
		"GET /v1/rules/{rule_code}/versions": {path: "/v1/rules/OWN/versions", scope: ofOrganisation, status: 200},
		"GET /v1/rules/{rule_code}/versions/{version}": {
			path: "/v1/rules/OWN/versions/1.0.0", scope: ofOrganisation,
			status: 200,
		},
		"POST /v1/rules/{rule_code}/versions/{version}/deactivate": {
			path:  "/v1/rules/OWN/versions/1.0.0/deactivate",
			scope: ofOrganisation, status: 200,
		},
		"POST /v1/classify": {
			path: "/v1/classify",
			body: `{"item_code":"OWN","observed_condition":"broken"}`, scope: ofOrganisation, status: 200,
		},
		"POST /v1/buildings": {
			path: "/v1/buildings",
			body: `{"site_name":"New","site_address":"Street"}`, status: 201,
		},
		"GET /v1/buildings":      {path: "/v1/buildings", status: 200},
		"GET /v1/buildings/{id}": {path: "/v1/buildings/closed", scope: ofBuilding, status: 200},
		"PATCH /v1/buildings/{id}": {
			path: "/v1/buildings/closed",
			body: `{"site_name":"Changed"}`, scope: ofBuilding, status: 200,
		},
		"POST /v1/buildings/{id}/assets": {
			path: "/v1/buildings/closed/assets",
			body: `{"asset_id":"NEW","asset_type":"extinguisher_powder"}`, scope: ofBuilding, status: 201,
		},
		"GET /v1/buildings/{id}/assets": {
			path: "/v1/buildings/closed/assets", scope: ofBuilding,
			status: 200,
		},
		"POST /v1/buildings/{id}/assets/import": {
			path: "/v1/buildings/closed/assets/import",
			body: "asset_id,asset_type\nFE-2,extinguisher_powder\n", media: mediaCSV, scope: ofBuilding, status: 200,
		},
		"GET /v1/buildings/{id}/assets/export": {
			path:  "/v1/buildings/closed/assets/export",
			scope: ofBuilding, status: 200,
		},
		"GET /v1/buildings/{id}/assets/{asset_id}": {
			path: "/v1/buildings/closed/assets/FE-1", scope: ofBuilding,
			status: 200,
		},
		"PATCH /v1/buildings/{id}/assets/{asset_id}": {
			path: "/v1/buildings/closed/assets/FE-1",
			body: `{"notes":"changed"}`, scope: ofBuilding, status: 200,
		},
		"PUT /v1/buildings/{id}/assets/{asset_id}/baselines": {
			path: "/v1/buildings/closed/assets/FE-1/baselines",
			body: `{"baselines":[]}`, scope: ofBuilding, status: 200,
		},
		"POST /v1/tests/sessions/{id}/results": {
			path: "/v1/tests/sessions/s-1/results",
			body: `{"changes":[{"op":"set","path":"/items/FE-1/note","value":"x"}]}`, scope: ofSession, status: 200,
		},
		"GET /v1/tests/sessions/{id}/results": {
			path: "/v1/tests/sessions/s-1/results", scope: ofSession,
			status: 200,
		},
		"POST /v1/tests/sessions": {
			path: "/v1/tests/sessions",
			body: `{"building_id":"closed","session_name":"New","frequency":"yearly"}`, status: 201,
		},
		"GET /v1/tests/sessions":      {path: "/v1/tests/sessions", status: 200},
		"GET /v1/tests/sessions/{id}": {path: "/v1/tests/sessions/s-1", scope: ofSession, status: 200},
		"PATCH /v1/tests/sessions/{id}": {
			path: "/v1/tests/sessions/s-1",
			body: `{"session_name":"Changed"}`, header: map[string]string{"If-Match": "*"}, scope: ofSession, status: 200,
		},
		"GET /v1/tests/sessions/{id}/items": {
			path: "/v1/tests/sessions/s-1/items", scope: ofSession,
			status: 200,
		},
		"GET /v1/tests/sessions/{id}/sync_status": {
			path: "/v1/tests/sessions/s-1/sync_status", scope: ofSession,
			status: 200,
		},
		"GET /v1/tests/sessions/{id}/history": {
			path:  "/v1/tests/sessions/s-1/history?path=/items",
			scope: ofSession, status: 200,
		},
		"GET /v1/tests/sessions/{id}/offline_bundle": {
			path:  "/v1/tests/sessions/s-1/offline_bundle",
			scope: ofSession, status: 200,
		},
		"GET /v1/tests/sessions/{id}/proof": {
			path:  "/v1/tests/sessions/s-1/proof?dot=~u-other:1:0",
			scope: ofSession, status: 200,
		},
		"GET /v1/tests/sessions/{id}/consistency": {
			path:  "/v1/tests/sessions/s-1/consistency?from=1",
			scope: ofSession, status: 200,
		},
		"GET /v1/defects": {path: "/v1/defects", status: 200},
		"GET /v1/defects/{id}": {
			path: "/v1/defects/" + foundDefect(), scope: ofSession,
			status: 200,
		},
		"PATCH /v1/defects/{id}": {
			path: "/v1/defects/" + foundDefect(),
			body: `{"note":"Changed"}`, scope: ofSession, status: 200,
		},
		"GET /health":       {path: "/health", status: 200},
		"GET /health/live":  {path: "/health/live", status: 200},
		"GET /health/ready": {path: "/health/ready", status: 200},
		"GET /metrics":      {path: "/metrics", status: 404},
		"GET /openapi.yaml": {path: "/openapi.yaml", status: 200},
		"GET /openapi.json": {path: "/openapi.json", status: 200},
		"GET /docs":         {path: "/docs", status: 200},
	}
}

// furnish makes what the fixtures name: in "a" the rule OWN, the building "closed" with the asset
// FE-1, and "open", which the owner owns; and the session s-1 in "closed", which names technician
// "other".
func (w *world) furnish() {
	w.t.Helper()
	w.user("a", "other", firemode.RoleTechnician)
	for _, q := range []request{
		{
			path: "/v1/rules",
			body: `{"rule_code":"OWN","version":"1.0.0","rule_name":"Own","rule_schema":{"classification_mappings":{"broken":"critical_defect"}}}`,
		},
		{path: "/v1/buildings", body: `{"building_id":"closed","site_name":"Closed","site_address":"Street 1"}`},
		{
			path: "/v1/buildings",
			body: `{"building_id":"open","site_name":"Open","site_address":"Street 2","owner_ids":["u-owner"]}`,
		},
		{path: "/v1/buildings/closed/assets", body: `{"asset_id":"FE-1","asset_type":"extinguisher_powder"}`},
	} {
		q.as, q.method = "admin", http.MethodPost
		w.get(http.StatusCreated, q)
	}
	ctx := firemode.WithPrincipal(w.t.Context(), firemode.Principal{
		Org: "a", User: "u-admin", Name: "admin",
		Role: firemode.RoleAdmin,
	})
	_, err := w.Services.Visits.Create(ctx, visits.Draft{
		ID: "s-1", Building: "closed", Name: "Visit", Frequency: firemode.SixMonthly,
		Technicians: []firemode.UserID{"u-other"},
	})
	must(w.t, err)
	w.get(http.StatusOK, request{
		as: "other", method: http.MethodPost, path: "/v1/tests/sessions/s-1/results",
		header: map[string]string{"Idempotency-Key": "furnish"},
		body:   `{"changes":[{"op":"set","path":"/items/FE-1/conditions/AS1851-2012-FE-01/pressure_low","value":true}]}`,
	})
}

// foundDefect is the id of the defect that furnish makes.
func foundDefect() string {
	return string(firemode.NewDefectID("s-1", "FE-1", "AS1851-2012-FE-01", "pressure_low"))
}

func (f fixture) request(rt httpkit.Route, as string) request {
	q := request{as: as, method: rt.Method, path: f.path, body: f.body, header: map[string]string{}}
	maps.Copy(q.header, f.header)
	if f.media != "" {
		q.header["Content-Type"] = f.media
	}
	if rt.Once == httpkit.OnceOwn {
		q.header["Idempotency-Key"] = "walk"
	}
	return q
}

// wanted is the status that the caller must get.
func (f fixture) wanted(rt httpkit.Route, role firemode.Role, org string) int {
	switch {
	case rt.Permission == nil:
		return f.status
	case !rt.Permission.Allows(role):
		return http.StatusForbidden
	case f.scope >= ofOrganisation && org != "a":
		return http.StatusNotFound
	case f.scope >= ofBuilding && role == firemode.RoleOwner:
		return http.StatusNotFound
	case f.scope == ofSession && role == firemode.RoleTechnician:
		return http.StatusNotFound
	}
	return f.status
}

package httpapi

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"firemode/internal/httpkit/httpkittest"
)

// step is one request of a scenario and what it must answer. In want and lacks, times are T and minted ids are ID.
type step struct {
	request
	status int
	want   string // the whole body, or when it begins with "~" a part of it
	lacks  string // must not be in the body
}

func (w *world) follow(steps []step) {
	w.t.Helper()
	times := regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`)
	ids := regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}`)
	for i, s := range steps {
		rec := w.do(s.request)
		body := ids.ReplaceAllString(times.ReplaceAllString(rec.Body.String(), "T"), "ID")
		name := fmt.Sprintf("step %d, %s %s", i, s.method, s.path)
		if rec.Code != s.status {
			w.t.Fatalf("%s: status %d, want %d: %s", name, rec.Code, s.status, body)
		}
		part, partial := strings.CutPrefix(s.want, "~")
		switch {
		case s.want == "":
		case partial && !strings.Contains(body, part):
			w.t.Errorf("%s: %s\nlacks %s", name, body, part)
		case !partial && body != s.want:
			w.t.Errorf("%s: %s\nwant %s", name, body, s.want)
		}
		if s.lacks != "" && strings.Contains(body, s.lacks) {
			w.t.Errorf("%s: %s\nholds %s", name, body, s.lacks)
		}
	}
}

func as(who, method, path string, body ...string) request {
	return request{as: who, method: method, path: path, body: strings.Join(body, "")}
}

func TestUsers(t *testing.T) {
	t.Parallel()
	const ann = `{"user_id":"ann","username":"Ann@a","full_name":"Ann","role":"technician","organisation_id":"a","disabled":false,"created_at":"T"}`
	create := as("admin", "POST", "/v1/users", `{"user_id":"ann","username":"Ann@a","full_name":"Ann","role":"technician","password":"battery staple"}`)
	newWorld(t).follow([]step{
		{create, 201, ann, "battery"},
		{create, 201, ann, ""},
		{as("admin", "POST", "/v1/users", `{"user_id":"ann","username":"Ann@a","full_name":"Ann","role":"technician","password":"another password"}`), 409, "", ""},
		{as("admin", "POST", "/v1/users", `{"username":"ANN@A","role":"owner","password":"battery staple"}`), 409, "", "staple"},
		{as("manager", "GET", "/v1/users/ann"), 200, ann, "argon2"},
		{as("", "POST", "/v1/auth/login", `{"username":"ann@A","password":"battery staple"}`), 200, `~"token_type":"Bearer","expires_in":900}`, "staple"},
		{as("", "POST", "/v1/auth/login", `{"username":"ann@a","password":"wrong"}`), 401, "~username or password", ""},
		{as("admin", "PATCH", "/v1/users/ann", `{"disabled":true}`), 200, `~"disabled":true`, ""},
		{as("", "POST", "/v1/auth/login", `{"username":"ann@a","password":"battery staple"}`), 401, "~username or password", "disabled"},
		{as("admin", "PATCH", "/v1/users/u-admin", `{"role":"owner"}`), 409, "", ""},
		{as("admin", "GET", "/v1/users/me/audits?limit=1"), 200, `~{"data":[{"audit_log_id":"ID","seq":`, "staple"},
		{as("admin", "GET", "/v1/users/me/audits?limit=1"), 200, `~"action":"user.update","subject":"ann","data":{`, ""},
	})
}

func TestLogoutRevokes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	login := w.get(200, request{method: "POST", path: "/v1/auth/login", body: `{"username":"engineer","password":"correct horse"}`})
	w.tokens["session"] = login["access_token"].(string)
	w.follow([]step{
		{as("session", "GET", "/v1/users/me"), 200, `~"username":"engineer"`, ""},
		{as("session", "POST", "/v1/auth/logout"), 204, "", ""},
		{as("session", "GET", "/v1/users/me"), 401, "~FIRE-401", ""},
		{as("", "POST", "/v1/auth/refresh", `{"refresh_token":"`, login["refresh_token"].(string), `"}`), 401, "~FIRE-401", ""},
	})
}

func TestRules(t *testing.T) {
	t.Parallel()
	version := func(v string) request {
		return as("admin", "POST", "/v1/rules", `{"rule_code":"OWN.1","version":"`, v, `","rule_name":"Own","rule_schema":{"classification_mappings":{"broken":"non_conformance"}}}`)
	}
	document := func(v string) string {
		return `{"rule_code":"OWN.1","version":"` + v + `","rule_name":"Own","rule_schema":{"classification_mappings":{"broken":"non_conformance"}},"active":true,"shared":false,"created_at":"T"}`
	}
	newWorld(t).follow([]step{
		{version("1.9.0"), 201, document("1.9.0"), ""},
		{version("1.10.0"), 201, document("1.10.0"), ""},
		{version("1.9.0"), 201, document("1.9.0"), ""},
		{as("admin", "POST", "/v1/rules", `{"rule_code":"OWN.1","version":"1.9.0","rule_name":"Other","rule_schema":{"classification_mappings":{"broken":"non_conformance"}}}`), 409, "", ""},
		{version("1.9"), 422, "~version", ""},
		{as("admin", "POST", "/v1/rules", `{"rule_code":"X","version":"1.0.0","rule_name":"X","rule_schema":{"classification_mappings":{"broken":"bad"}}}`), 422, `~{"field":"rule_schema.classification_mappings.broken","reason":`, ""},
		{as("technician", "GET", "/v1/rules/OWN.1"), 200, document("1.10.0"), ""},
		{as("technician", "GET", "/v1/rules/OWN.1/versions"), 200, `{"data":[` + document("1.10.0") + `,` + document("1.9.0") + `],"next_cursor":null}`, ""},
		{
			as("technician", "POST", "/v1/classify", `{"item_code":"OWN.1","observed_condition":"broken"}`), 200,
			`{"classification":"non_conformance","default_classification":"non_conformance","condition":"broken","basis":"default","rule_applied":"OWN.1","version_applied":"1.10.0","audit_log_id":"ID"}`, "",
		},
		{as("admin", "POST", "/v1/rules/OWN.1/versions/1.10.0/deactivate"), 200, `~"active":false,"shared":false,"created_at":"T","deactivated_at":"T"}`, ""},
		{as("technician", "GET", "/v1/rules/OWN.1"), 200, document("1.9.0"), ""},
		{as("stranger", "GET", "/v1/rules/OWN.1"), 404, "~FIRE-404", ""},
		{as("stranger", "POST", "/v1/classify", `{"item_code":"OWN.1","observed_condition":"broken"}`), 404, "~FIRE-404", ""},
		{as("admin", "GET", "/v1/rules/OWN.1/versions/2.0.0"), 404, "~FIRE-404", ""},
	})
}

func TestClassify(t *testing.T) {
	t.Parallel()
	classify := func(body string) request { return as("technician", "POST", "/v1/classify", body) }
	newWorld(t).follow([]step{
		{
			classify(`{"item_code":"AS1851-2012-FE-01","observed_condition":"pressure_low","scope":{"only_unit_in_area":true}}`), 200,
			`~{"classification":"critical_defect","default_classification":"non_critical_defect","condition":"pressure_low","basis":"escalated",`, "",
		},
		{
			classify(`{"item_code":"AS1851-2012-FE-01","observed_condition":"pressure_low","override":{"classification":"recommendation","reason":"replaced on the spot"}}`), 200,
			`~{"classification":"recommendation","default_classification":"non_critical_defect","condition":"pressure_low","basis":"override","reason":"replaced on the spot",`, "",
		},
		{
			classify(`{"item_code":"AS1851-2012-HR-07","measurement":"flow_lps","value":0.330,"unit":"L/s"}`), 200,
			`~{"classification":null,"default_classification":null,"within_limits":true,`, "",
		},
		{
			classify(`{"item_code":"AS1851-2012-HR-07","measurement":"flow_lps","value":0.3299999999999999999999,"unit":"L/s"}`), 200,
			`~"within_limits":false,"condition":"flow_below_minimum"`, "",
		},
		{classify(`{"item_code":"AS1851-2012-HR-07","measurement":"flow_lps","value":1,"unit":"gpm"}`), 422, `~"field":"unit"`, ""},
		{classify(`{"item_code":"AS1851-2012-FE-01","observed_condition":"on_fire"}`), 422, "~pressure_low", ""},
		{classify(`{"item_code":"NONE","observed_condition":"pressure_low"}`), 404, "~FIRE-404", ""},
		{classify(`{"item_code":"AS1851-2012-FE-01"}`), 422, "~observed_condition", ""},
		{classify(`{"item_code":"AS1851-2012-FE-01","observed_condition":"pressure_low","scope":{"only_unit_in_area":"yes"}}`), 422, "~scope.only_unit_in_area", ""},
	})
}

func TestBuildingsAndRegister(t *testing.T) {
	t.Parallel()
	const tower = `{"building_id":"tower","site_name":"Tower","site_address":"1 Quay","metadata":{"storeys":18},"owner_ids":["u-owner"],"status":"active","created_at":"T"}`
	create := as("manager", "POST", "/v1/buildings", `{"building_id":"tower","site_name":"Tower","site_address":"1 Quay","metadata":{"storeys":18},"owner_ids":["u-owner"]}`)
	file := "\xef\xbb\xbfTag,Type,Level\r\nFE-1,\"Extinguisher ABE, powder\",Level 3\r\n,Extinguisher ABE powder,G\r\n"
	upload := as("manager", "POST", "/v1/buildings/tower/assets/import?dry_run=true", file)
	upload.header = map[string]string{"Content-Type": "text/csv; charset=utf-8"}
	write := upload
	write.path = "/v1/buildings/tower/assets/import"
	newWorld(t).follow([]step{
		{create, 201, tower, ""},
		{create, 201, tower, ""},
		{as("manager", "POST", "/v1/buildings", `{"site_name":"tower ","site_address":"1 quay"}`), 409, "~FIRE-409", ""},
		{as("manager", "POST", "/v1/buildings", `{"site_name":"B","site_address":"S","owner_ids":["u-admin"]}`), 422, `~"field":"owner_ids[0]"`, ""},
		{as("owner", "GET", "/v1/buildings/tower"), 200, tower, ""},
		{as("owner", "PATCH", "/v1/buildings/tower", `{"status":"archived"}`), 403, "~FIRE-403", ""},
		{upload, 200, `~{"created":1,"updated":0,"unchanged":0,"rejected":[{"line":3,"asset_id":"","reason":`, ""},
		{as("manager", "GET", "/v1/buildings/tower/assets"), 200, `{"data":[],"next_cursor":null}`, ""},
		{write, 200, `~{"created":1,"updated":0,"unchanged":0,"rejected":[{"line":3,`, ""},
		{write, 200, `~{"created":0,"updated":0,"unchanged":1,"rejected":[{"line":3,`, ""},
		{as("owner", "GET", "/v1/buildings/tower/assets?level=L03&system=FE"), 200, `~{"data":[{"asset_id":"FE-1","asset_type":"extinguisher_powder",`, ""},
		{as("owner", "GET", "/v1/buildings/tower/assets/export"), 200, "~FE-1,", ""},
		{
			as("manager", "PUT", "/v1/buildings/tower/assets/FE-1/baselines", `{"baselines":[{"measurement":"mass_kg","value":4.50,"unit":"kg","source":"plate","date":"2024-02-29"}]}`), 200,
			`~"baselines":[{"measurement":"mass_kg","value":4.50,"unit":"kg","source":"plate","date":"2024-02-29"}]`, "",
		},
		{as("manager", "PATCH", "/v1/buildings/tower/assets/FE-1", `{"status":"decommissioned","notes":"gone"}`), 200, `~"status":"decommissioned","notes":"gone"`, ""},
		{as("stranger", "GET", "/v1/buildings/tower/assets/FE-1"), 404, "~FIRE-404", ""},
	})
}

func TestFailedLoginsAreThrottled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	wrong := as("", "POST", "/v1/auth/login", `{"username":"engineer","password":"wrong"}`)
	for range 10 {
		httpkittest.WantProblem(t, w.do(wrong), 401)
	}
	rec := w.do(wrong)
	p := httpkittest.WantProblem(t, rec, 429)
	if seconds, err := strconv.Atoi(rec.Header().Get("Retry-After")); err != nil || seconds < 1 || seconds > 300 || !p.Retryable {
		t.Errorf("Retry-After %q, retryable %v", rec.Header().Get("Retry-After"), p.Retryable)
	}
}

package httpapi

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"firemode/internal/httpkit"
	"firemode/internal/httpkit/httpkittest"
)

func TestSchema_InvalidBody_NamesTheField(t *testing.T) {
	t.Parallel()
	w := newFurnished(t)
	for _, row := range []struct {
		method, path, body string
		status             int
		field, reason      string
	}{
		{"POST", "/v1/buildings", `[]`, 422, "body", "expected object"},
		{"POST", "/v1/buildings", `null`, 422, "body", "expected object"},
		{"POST", "/v1/buildings", `{"site_name":"x"}`, 422, "site_address", "is required"},
		{"POST", "/v1/buildings", `{"site_name":"","site_address":"x"}`, 422, "site_name", "expected length >= 1"},
		{"POST", "/v1/buildings", `{"site_name":null,"site_address":"x"}`, 422, "site_name", "expected string"},
		{
			"POST", "/v1/buildings", `{"site_name":"x","site_address":"x","owner_ids":["u-owner",7]}`, 422, "owner_ids[1]",
			"expected string",
		},
		{
			"POST", "/v1/buildings", `{"site_name":"x","site_address":"x","Owner_IDs":[]}`, 422, "Owner_IDs",
			"is written owner_ids",
		},
		{
			"POST", "/v1/buildings", `{"site_name":"x","site_address":"x","metadata":{"a":["\u0000"]}}`, 422, "metadata.a[0]",
			"must not contain the character U+0000",
		},
		{
			"POST", "/v1/buildings", `{"site_name":"x","site_name":"y","site_address":"x"}`, 400, "site_name",
			"the same key is there twice",
		},
		{
			"POST", "/v1/buildings", `{"site_name":"x","site_address":"x","metadata":{"a":1,"a":2}}`, 400, "metadata.a",
			"the same key is there twice",
		},
		{
			"POST", "/v1/users", `{"username":"x","role":"king","password":"battery staple"}`, 422, "role",
			`expected value to be one of "admin, manager, technician, engineer, owner"`,
		},
		{"POST", "/v1/users", `{"username":"x","role":"owner","password":"short"}`, 422, "password", "expected length >= 10"},
		{"PATCH", "/v1/users/u-owner", `{"disabled":"yes"}`, 422, "disabled", "expected boolean"},
		{
			"PUT", "/v1/buildings/closed/assets/FE-1/baselines",
			`{"baselines":[{"measurement":"m","value":"1","unit":"u","source":"s","date":"2024-01-01"}]}`, 422,
			"baselines[0].value", "expected number",
		},
		{
			"POST", "/v1/classify", `{"item_code":"OWN","measurement":"m","value":"1","unit":"u"}`, 422, "value",
			"expected number",
		},
		{
			"POST", "/v1/classify",
			`{"item_code":"OWN","observed_condition":"broken","override":{"classification":"bad","reason":"x"}}`, 422,
			"override.classification",
			`expected value to be one of "critical_defect, non_critical_defect, non_conformance, not_tested, recommendation"`,
		},
	} {
		p := httpkittest.WantProblem(t, w.do(request{as: "admin", method: row.method, path: row.path, body: row.body}),
			row.status)
		if len(p.Details) == 0 || p.Details[0] != (httpkittest.Detail{Field: row.field, Reason: row.reason}) {
			t.Errorf("%s %s: details %v, want %s: %s", row.path, row.body, p.Details, row.field, row.reason)
		}
	}
}

func TestSchema_UnknownName_Accepted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.get(http.StatusCreated, request{
		as: "admin", method: "POST", path: "/v1/buildings",
		body: `{"site_name":"x","site_address":"y","from_the_future":{"a":[1]}}`,
	})
}

// TestSchema_RandomRequests_Never500 throws requests at every route that are right in places only.
func TestSchema_RandomRequests_Never500(t *testing.T) {
	w := newFurnished(t)
	list := routes()
	rapid.Check(t, func(rt *rapid.T) {
		route := rapid.SampledFrom(list).Draw(rt, "route")
		path := route.Pattern
		for _, name := range []string{"{id}", "{asset_id}", "{rule_code}", "{version}"} {
			path = strings.ReplaceAll(path, name, url.PathEscape(anyText(rt, name, "closed", "FE-1", "OWN", "1.0.0", "u-owner",
				"s-1")))
		}
		if rapid.Bool().Draw(rt, "query") {
			path += "?" + rapid.SampledFrom([]string{"limit", "cursor", "q", "dry_run", "frequency", "x"}).Draw(rt,
				"parameter") + "=" + url.QueryEscape(anyText(rt, "value", "1", "true"))
		}
		q := request{
			as: rapid.SampledFrom([]string{"", "admin", "owner", "stranger"}).Draw(rt, "as"), method: route.Method,
			path: path, body: anyBody(rt), header: map[string]string{},
		}
		if route.Method == http.MethodPost && route.Tag == "auth" {
			q.as = ""
		}
		for _, name := range []string{
			"Content-Type", "Content-Encoding", "Accept", "Accept-Encoding", "If-Match",
			"If-None-Match", "Idempotency-Key", "X-Request-ID", "Authorization",
		} {
			if rapid.IntRange(0, 5).Draw(rt, name) == 0 {
				q.header[name] = anyText(rt, name+" value", httpkit.MediaJSON, mediaCSV, "gzip", "zstd", "*/*", "*", `"1"`, "key")
			}
		}
		rec := w.do(q)
		if rec.Code >= http.StatusInternalServerError ||
			(rec.Code >= 300 && rec.Code < 400 && rec.Code != http.StatusNotModified) {
			rt.Fatalf("%s %s: status %d: %s\n%s", q.method, q.path, rec.Code, rec.Body, w.logs)
		}
		if rec.Code >= http.StatusBadRequest && rec.Header().Get("Content-Encoding") == "" {
			httpkittest.WantProblem(t, rec, rec.Code)
		}
	})
}

// anyText is one of good, or anything.
func anyText(t *rapid.T, label string, good ...string) string {
	return rapid.OneOf(rapid.SampledFrom(good), rapid.StringN(1, 80, -1)).Draw(t, label)
}

// anyBody is JSON with known keys and any values, or something that is no JSON.
func anyBody(t *rapid.T) string {
	keys := []string{
		"site_name", "site_address", "metadata", "owner_ids", "username", "role", "password", "asset_id",
		"asset_type", "baselines", "rule_code", "version", "rule_name", "rule_schema", "item_code", "observed_condition", "scope", "override", "value", "Site_Name", "changes", "_sync_meta",
	}
	values := []string{
		"null", "1", "-1e400", "12345678901234567890", `"text"`, `"\u0000"`, `"\ud800"`, "[]", `[{}]`,
		"{}", `{"a":{"b":[null]}}`, "true", `"owner"`, `"OWN"`, `[{"op":"set","path":"/items/FE-1/note","value":1}]`, `[{"op":"append","path":"//"}]`, `{"client_id":"c","vector_clock":{"c":1}}`, "{",
	}
	var b strings.Builder
	for i := range rapid.IntRange(0, 5).Draw(t, "members") {
		if i > 0 {
			b.WriteString(",")
		}
		b.WriteString(`"` + rapid.SampledFrom(keys).Draw(t, "key") + `":` + rapid.SampledFrom(values).Draw(t, "value"))
	}
	return rapid.SampledFrom([]string{
		"{" + b.String() + "}", "{" + b.String(), "[" + "{" + b.String() + "}]", "",
		"a,b\n1,2\n",
	}).Draw(t, "body")
}

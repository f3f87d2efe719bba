package httpapi

import "testing"

func TestRules_Scenario(t *testing.T) {
	t.Parallel()
	version := func(v string) request {
		return as("admin", "POST", "/v1/rules", `{"rule_code":"OWN.1","version":"`, v,
			`","rule_name":"Own","rule_schema":{"classification_mappings":{"broken":"non_conformance"}}}`)
	}
	document := func(v string) string {
		return `{"rule_code":"OWN.1","version":"` + v +
			`","rule_name":"Own","rule_schema":{"classification_mappings":{"broken":"non_conformance"}},"active":true,"shared":false,"created_at":"T"}`
	}
	newWorld(t).follow([]step{
		{version("1.9.0"), 201, document("1.9.0"), ""},
		{version("1.10.0"), 201, document("1.10.0"), ""},
		{version("1.9.0"), 201, document("1.9.0"), ""},
		{as("admin", "POST", "/v1/rules",
			`{"rule_code":"OWN.1","version":"1.9.0","rule_name":"Other","rule_schema":{"classification_mappings":{"broken":"non_conformance"}}}`), 409, "", ""},
		{version("1.9"), 422, "~version", ""},
		{
			as("admin", "POST", "/v1/rules",
				`{"rule_code":"X","version":"1.0.0","rule_name":"X","rule_schema":{"classification_mappings":{"broken":"bad"}}}`),
			422, `~{"field":"rule_schema.classification_mappings.broken","reason":`, "",
		},
		{as("technician", "GET", "/v1/rules/OWN.1"), 200, document("1.10.0"), ""},
		{as("technician", "GET", "/v1/rules/OWN.1/versions"), 200, `{"data":[` + document("1.10.0") + `,` +
			document("1.9.0") + `],"next_cursor":null}`, ""},
		{
			as("technician", "POST", "/v1/classify", `{"item_code":"OWN.1","observed_condition":"broken"}`), 200,
			`{"classification":"non_conformance","default_classification":"non_conformance","condition":"broken","basis":"default","rule_applied":"OWN.1","version_applied":"1.10.0","audit_log_id":"ID"}`,
			"",
		},
		{
			as("admin", "POST", "/v1/rules/OWN.1/versions/1.10.0/deactivate"), 200,
			`~"active":false,"shared":false,"created_at":"T","deactivated_at":"T"}`, "",
		},
		{as("technician", "GET", "/v1/rules/OWN.1"), 200, document("1.9.0"), ""},
		{as("stranger", "GET", "/v1/rules/OWN.1"), 404, "~FIRE-404", ""},
		{as("stranger", "POST", "/v1/classify", `{"item_code":"OWN.1","observed_condition":"broken"}`), 404, "~FIRE-404", ""},
		{as("admin", "GET", "/v1/rules/OWN.1/versions/2.0.0"), 404, "~FIRE-404", ""},
	})
}

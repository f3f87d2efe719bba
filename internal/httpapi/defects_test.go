package httpapi

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"firemode"
	"firemode/internal/httpkit/httpkittest"
	"firemode/internal/visits"
)

func TestDefects_FollowTheResults(t *testing.T) {
	const scope, override = "/items/FE-1/scope/AS1851-2012-FE-01/", "/items/FE-1/override/AS1851-2012-FE-01/"
	playSmall(t, []scenario{
		{"one is opened by the first result that reports it, with class, rule and version", func(t *testing.T, v *visit) {
			a, b := v.pair()
			a.write(set(gauge+"pressure_low", "true"), set(gauge+"gauge_damaged", "3"), set(gauge+"discharged", "false"),
				set(gauge+"pressure_high", "0"))
			b.write(set(gauge+"pressure_low", "true"))
			same(t, slices.Sorted(slices.Values(field(v.defects(""), "condition"))), []string{"gauge_damaged", "pressure_low"})
			d := v.defectOn("pressure_low")
			same(t, []any{
				d["session_id"], d["item_id"], d["rule_code"], d["version"], d["status"], d["classification"],
				d["count"], d["found_by"],
			},
				[]any{v.id, "FE-1", "AS1851-2012-FE-01", "0.1.0", "open", "non_critical_defect", 1.0, "tech1"})
			same(t, d["defect_id"], any(string(firemode.NewDefectID(firemode.SessionID(v.id), "FE-1", "AS1851-2012-FE-01",
				"pressure_low"))))
			same(t, judgements(d), []string{"non_critical_defect non_critical_defect 0.1.0 default <nil>"})
			same(t, v.defectOn("gauge_damaged")["count"], any(3.0))
		}},
		{"a count that is incremented is the sum", func(t *testing.T, v *visit) {
			a, b := v.pair()
			a.write(increment(gauge+"gauge_damaged", "1"))
			b.write(increment(gauge+"gauge_damaged", "2"))
			same(t, v.defectOn("gauge_damaged")["count"], any(3.0))
			a.write(increment(gauge+"gauge_damaged", "-3"))
			same(t, v.defectOn("gauge_damaged")["status"], any("withdrawn"))
		}},
		{
			"a measurement outside its limits opens the condition of the limit, and is withdrawn when it is corrected",
			func(t *testing.T, v *visit) {
				a, _ := v.pair()
				flow := "/items/HR-1/measurements/flow_lps"
				a.write(set(flow, "0.33"))
				same(t, v.defects(""), nil)
				a.write(set(flow, "0.3299999999999999999999"))
				d := v.defectOn("flow_below_minimum")
				same(t, []any{d["item_id"], d["rule_code"], d["status"], d["classification"]},
					[]any{"HR-1", "AS1851-2012-HR-07", "open", "non_critical_defect"})
				a.write(correct(flow, "0.45", "a:2:0"))
				same(t, v.defectOn("flow_below_minimum")["status"], any("withdrawn"))
				a.write(increment(flow, "-0.1"))
				same(t, v.defectOn("flow_below_minimum")["status"], any("withdrawn"))
				a.write(increment(flow, "-0.1"))
				same(t, v.defectOn("flow_below_minimum")["status"], any("open"))
			},
		},
		{"answers about scope escalate, and each judgement is kept", func(t *testing.T, v *visit) {
			a, _ := v.pair()
			a.write(set(gauge+"pressure_low", "true"))
			a.write(set(scope+"only_unit_in_area", "true"))
			a.write(set(scope+"only_unit_in_area", "false"))
			d := v.defectOn("pressure_low")
			same(t, d["classification"], any("non_critical_defect"))
			same(t, judgements(d), []string{
				"non_critical_defect non_critical_defect 0.1.0 default <nil>",
				"critical_defect non_critical_defect 0.1.0 escalated only_unit_in_area: true",
				"non_critical_defect non_critical_defect 0.1.0 default <nil>",
			})
		}},
		{"an answer that the rule cannot use hides nothing, and the judgement says so", func(t *testing.T, v *visit) {
			a, _ := v.pair()
			a.write(set(gauge+"pressure_low", "true"), set(scope+"repeat_count", "-1"))
			same(t, judgements(v.defectOn("pressure_low")),
				[]string{"non_critical_defect non_critical_defect 0.1.0 default scope.repeat_count: must be a whole number from 0"})
		}},
		{"an override is recorded with its reason, and stands until it is removed", func(t *testing.T, v *visit) {
			a, _ := v.pair()
			a.write(set(gauge+"pressure_low", "true"), set(override+"classification", `"recommendation"`),
				set(override+"reason", `"replaced on the spot"`))
			a.write(remove("/items/FE-1/override"))
			same(t, judgements(v.defectOn("pressure_low")), []string{
				"recommendation non_critical_defect 0.1.0 override replaced on the spot",
				"non_critical_defect non_critical_defect 0.1.0 default <nil>",
			})
		}},
		{
			"it is withdrawn when no result reports it, never deleted, and reopened when one does again",
			func(t *testing.T, v *visit) {
				a, b := v.pair()
				a.write(set(gauge+"pressure_low", "true"))
				b.write(set(gauge+"pressure_low", "true"))
				first := v.defectOn("pressure_low")
				a.write(remove(gauge + "pressure_low"))
				same(t, v.defectOn("pressure_low")["status"], any("open"))
				b.look()
				b.write(set(gauge+"pressure_low", "false"))
				gone := v.defectOn("pressure_low")
				same(t, []any{gone["status"], gone["defect_id"], gone["found_at"]},
					[]any{"withdrawn", first["defect_id"], first["found_at"]})
				b.write(set(gauge+"pressure_low", "2"))
				back := v.defectOn("pressure_low")
				same(t, []any{back["status"], back["defect_id"], back["count"], back["found_by"]},
					[]any{"open", first["defect_id"], 2.0, "tech1"})
			},
		},
		{"a condition that the rule does not know is kept as a recommendation", func(t *testing.T, v *visit) {
			a, _ := v.pair()
			a.write(set(gauge+"smells_odd", "true"))
			same(t, judgements(v.defectOn("smells_odd")),
				[]string{"recommendation recommendation 0.1.0 default the rule does not know this condition"})
		}},
		{"each judgement has an entry in the audit trail of who found it", func(t *testing.T, v *visit) {
			a, _ := v.pair()
			a.write(set(gauge+"pressure_low", "true"))
			a.write(set(scope+"only_unit_in_area", "true"))
			trail := v.get(http.StatusOK, as("tech1", "GET", "/v1/users/me/audits?limit=2"))["data"].([]any)
			slices.Reverse(trail)
			for i, c := range v.defectOn("pressure_low")["classifications"].([]any) {
				entry := trail[i].(map[string]any)
				same(t, []any{entry["audit_log_id"], entry["action"], entry["subject"]},
					[]any{c.(map[string]any)["audit_log_id"], "classify", "AS1851-2012-FE-01"})
			}
		}},
		{"a session keeps the version that it was judged by after a new one is in force", func(t *testing.T, v *visit) {
			a, _ := v.pair()
			building := v.get(http.StatusOK, as("tech1", "GET", v.path("")))["building_id"].(string)
			a.write(set(gauge+"gauge_damaged", "true"))
			v.get(http.StatusCreated, as("admin", "POST", "/v1/rules", `{"rule_code":"AS1851-2012-FE-01","version":"0.10.0","rule_name":"Stricter","frequencies":["six_monthly"],
				"rule_schema":{"classification_mappings":{"pressure_low":"critical_defect","gauge_damaged":"critical_defect","new_here":"critical_defect"}}}`))
			a.write(set(gauge+"pressure_low", "true"), set(gauge+"gauge_damaged", "2"),
				set("/items/FE-9/conditions/AS1851-2012-FE-01/pressure_low", "true"))
			for _, d := range v.defects("") {
				same(t, []any{d["version"], d["classification"], len(judgements(d))}, []any{"0.1.0", "non_critical_defect", 1})
			}
			next := v.open(building, v.id+"-next", "yearly")
			next.send("tech1", batch{changes: []string{
				set(gauge+"pressure_low", "true"),
				set("/items/FE-9/conditions/AS1851-2012-FE-01/pressure_low", "true"),
			}})
			for _, d := range next.defects("") {
				same(t, []any{d["version"], d["classification"]}, []any{"0.10.0", "critical_defect"})
			}
			same(t, len(next.defects("")), 2)
			v.get(http.StatusOK, as("admin", "POST", "/v1/rules/AS1851-2012-FE-01/versions/0.10.0/deactivate"))
		}},
		{"what is late opens nothing until the session is reopened", func(t *testing.T, v *visit) {
			a, b := v.pair()
			var changes []string
			for _, item := range v.list(v.path("/items")) {
				changes = append(changes, set("/items/"+item["item_id"].(string)+"/outcome", `"pass"`))
			}
			a.write(changes...)
			v.complete()
			b.write(set(gauge+"pressure_low", "true"))
			same(t, v.defects(""), nil)
			v.reopen()
			same(t, v.defectOn("pressure_low")["found_by"], any("tech2"))
		}},
		{"people move a defect on, in steps that make sense", defectTransitions},
		{"filters", defectFilters},
	})
}

// TestDefects_OfANamedSession_VisibleToItsTechnicians holds that others do not see its defects.
func TestDefects_OfANamedSession_VisibleToItsTechnicians(t *testing.T) {
	play(t, []scenario{{"others do not see them", func(t *testing.T, v *visit) {
		ctx := firemode.WithPrincipal(t.Context(), firemode.Principal{
			Org: "a", User: "u-admin", Name: "admin",
			Role: firemode.RoleAdmin,
		})
		_, err := v.Services.Visits.Create(ctx, visits.Draft{
			ID: "closed", Building: "b", Name: "closed",
			Frequency: firemode.Yearly, Technicians: []firemode.UserID{"tech1"},
		})
		must(t, err)
		closed := &visit{world: v.world, id: "closed"}
		closed.send("tech1", batch{changes: []string{set("/items/site-GN/conditions/AS1851-2012-GN-02/logbook_missing",
			"true")}})
		d := closed.defectOn("logbook_missing")
		for who, want := range map[string]int{"tech1": 200, "engineer": 200, "owner": 200, "tech2": 404, "stranger": 404} {
			same(t, v.do(as(who, "GET", "/v1/defects/"+d["defect_id"].(string))).Code, want)
		}
		httpkittest.WantProblem(t, closed.post("tech2", batch{changes: []string{set("/x", "1")}}), http.StatusNotFound)
	}}})
}

// defects are those of the visit, oldest first, as the engineer sees them.
func (v *visit) defects(filter string) []map[string]any {
	v.t.Helper()
	return v.list("/v1/defects?session_id=" + v.id + filter)
}

// defectOn is the one defect of the visit with this condition.
func (v *visit) defectOn(condition string) map[string]any {
	v.t.Helper()
	all := v.defects("")
	i := slices.IndexFunc(all, func(d map[string]any) bool { return d["condition"] == condition })
	if i < 0 {
		v.t.Fatalf("no defect %s among %v", condition, field(all, "condition"))
	}
	return all[i]
}

// judgements are the classifications of a defect in words, oldest first.
func judgements(d map[string]any) (all []string) {
	for _, c := range d["classifications"].([]any) {
		c := c.(map[string]any)
		all = append(all, fmt.Sprint(c["classification"], " ", c["default_classification"], " ", c["version_applied"], " ",
			c["basis"], " ", c["reason"]))
	}
	return all
}

func defectTransitions(t *testing.T, v *visit) {
	v.send("tech1", batch{changes: []string{set(gauge+"pressure_low", "true")}})
	path := "/v1/defects/" + v.defectOn("pressure_low")["defect_id"].(string)
	patch := func(who, tag, body string) int {
		q := as(who, "PATCH", path, body)
		if tag != "" {
			q.header = map[string]string{"If-Match": tag}
		}
		return v.do(q).Code
	}
	for who, want := range map[string]int{
		"tech1": 403, "owner": 403, "stranger": 404, "engineer": 200, "manager": 200,
		"admin": 200,
	} {
		same(t, patch(who, "", `{"note":"`+who+`"}`), want)
	}
	tag := v.do(as("engineer", "GET", path)).Header().Get("ETag")
	same(t, patch("engineer", tag, `{"status":"notified","note":"told the manager on site"}`), 200)
	same(t, patch("engineer", tag, `{"status":"rectified"}`), 412)
	for _, step := range []struct {
		to     string
		status int
	}{
		{"notified", 200},
		{"open", 200},
		{"rectified", 200},
		{"notified", 409},
		{"closed", 200},
		{"rectified", 409},
		{"open", 200},
		{"withdrawn", 422},
		{"lost", 422},
		{"closed", 200},
	} {
		if got := patch("engineer", "", fmt.Sprintf(`{"status":%q}`, step.to)); got != step.status {
			t.Errorf("to %s: status %d, want %d", step.to, got, step.status)
		}
	}
	d := v.get(http.StatusOK, as("engineer", "GET", path))
	same(t, []any{d["status"], d["note"]}, []any{"closed", "told the manager on site"})
	v.send("tech1", batch{changes: []string{remove(gauge + "pressure_low")}})
	same(t, v.get(http.StatusOK, as("engineer", "GET", path))["status"], any("withdrawn"))
	same(t, patch("engineer", "", `{"status":"open"}`), 409)
}

func defectFilters(t *testing.T, v *visit) {
	building := v.get(http.StatusOK, as("tech1", "GET", v.path("")))["building_id"].(string)
	v.send("tech1", batch{
		client: "c", number: 1,
		changes: []string{
			set(gauge+"pressure_low", "true"), set(gauge+"gauge_damaged", "true"),
			set("/items/FE-1/conditions/AS1851-2012-FE-02/mounting_height_incorrect", "true"),
		},
	})
	v.send("tech1", batch{client: "c", number: 2, changes: []string{remove(gauge + "gauge_damaged")}})
	for filter, want := range map[string]int{
		"": 3, "&status=open": 2, "&status=withdrawn": 1, "&status=open&status=withdrawn": 3,
		"&classification=non_conformance":                 1,
		"&classification=non_critical_defect&status=open": 1, "&building_id=" + building: 3, "&building_id=b": 0,
	} {
		if got := len(v.defects(filter)); got != want {
			t.Errorf("%s: %d defects, want %d", filter, got, want)
		}
	}
	if got := v.get(http.StatusOK, as("owner", "GET",
		"/v1/defects?building_id="+building))["data"].([]any); len(got) != 3 {
		t.Errorf("the owner of the building sees %d defects", len(got))
	}
	if got := v.get(http.StatusOK, as("stranger", "GET", "/v1/defects"))["data"].([]any); len(got) != 0 {
		t.Errorf("a stranger sees %d defects", len(got))
	}
}

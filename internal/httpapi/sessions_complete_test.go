package httpapi

import (
	"fmt"
	"net/http"
	"testing"

	"firemode/internal/httpkit/httpkittest"
)

func TestCompleteSession_NamesWhatIsMissing(t *testing.T) {
	play(t, []scenario{
		{"a pending session cannot be completed or reopened", func(t *testing.T, v *visit) {
			httpkittest.WantProblem(t, v.patch("manager", completed), http.StatusConflict)
			httpkittest.WantProblem(t, v.patch("manager", `{"status":"reopened","reason":"x"}`), http.StatusConflict)
		}},
		{"a session becomes active with its first batch", func(t *testing.T, v *visit) {
			status := func() any { return v.get(http.StatusOK, as("tech1", "GET", v.path("")))["status"] }
			same(t, status(), any("pending"))
			v.pull("tech1", "tab")
			same(t, status(), any("pending"))
			v.send("tech1", batch{client: "tab", number: 1})
			same(t, status(), any("active"))
		}},
		{
			"what is missing is listed: untouched, unexplained, without a reason, in dispute, a gap",
			func(t *testing.T, v *visit) {
				a, b := v.pair()
				v.send("tech1", a.batch(2, set("/items/site-EP/outcome", `"fail"`), set("/items/site-PS/outcome", `"not_tested"`),
					set("/x", "1")))
				b.write(set("/x", "2"))
				p := httpkittest.WantProblem(t, v.patch("manager", completed), http.StatusConflict)
				same(t, problems(p), []string{
					"items/site-EP: the item failed without saying what was seen", "items/site-GN: untouched",
					"items/site-PS: the item was not tested, without a reason", "/x: 2 readings are in dispute (value)",
					"clients/a: batches [[1 1]] have not arrived; a manager may accept that with accept_gaps and a reason",
				})
				same(t, p.Message, "the session cannot be completed yet: 0 of 3 items are done, 1 conflicts and 1 gaps are open")
				b.write(set("/items/site-EP/conditions/AS1851-2012-EP-01/no_such", "true"),
					set("/items/site-PS/reason", `"no keys"`), set("/items/site-GN/outcome", `"not_tested"`),
					set("/items/site-GN/reason", `"no access"`))
				v.send("tech1", a.batch(1))
				c := b.look().conflictAt(t, "/x")
				b.write(resolve(c, "1", c.dots()...))
				p = httpkittest.WantProblem(t, v.patch("manager", completed), http.StatusConflict)
				same(t, problems(p), []string{"items/site-EP: AS1851-2012-EP-01 does not know the condition no_such"})
				condition := firstCondition(t, v.item("site-EP"))
				b.write(remove("/items/site-EP/conditions"), set("/items/site-EP/conditions/"+condition, "true"))
				v.complete()
			},
		},
		{"an item in dispute is listed with its item and its path", func(t *testing.T, v *visit) {
			a, b := v.pair()
			v.accountFor()
			a.write(set("/items/site-GN/note", `"a"`))
			b.write(set("/items/site-GN/note", `"b"`))
			p := httpkittest.WantProblem(t, v.patch("manager", completed), http.StatusConflict)
			same(t, problems(p), []string{
				"items/site-GN: readings are in dispute",
				"/items/site-GN/note: 2 readings are in dispute (value)",
			})
		}},
		{"a gap is accepted by a manager who says why", func(t *testing.T, v *visit) {
			a, _ := v.pair()
			v.accountFor()
			v.send("tech1", a.batch(3, set("/x", "1")))
			for _, body := range []string{
				completed, `{"status":"completed","accept_gaps":true}`,
				`{"status":"completed","accept_gaps":true,"reason":"  "}`, `{"status":"completed","reason":"lost"}`,
			} {
				p := httpkittest.WantProblem(t, v.patch("manager", body), http.StatusConflict)
				same(t, problems(p),
					[]string{"clients/a: batches [[1 2]] have not arrived; a manager may accept that with accept_gaps and a reason"})
			}
			accepted := `{"status":"completed","accept_gaps":true,"reason":"the tablet drowned"}`
			for _, who := range []string{"tech1", "engineer", "owner"} {
				httpkittest.WantProblem(t, v.patch(who, accepted), http.StatusForbidden)
			}
			v.patched(accepted)
			session := v.get(http.StatusOK, as("tech1", "GET", v.path("")))
			same(t, []any{session["status"], session["reason"], session["gap_count"]},
				[]any{"completed", "the tablet drowned", 1.0})
		}},
		{"completed, late, reopened with a reason, completed again", func(t *testing.T, v *visit) {
			a, _ := v.pair()
			v.accountFor()
			v.complete()
			session := v.get(http.StatusOK, as("tech1", "GET", v.path("")))
			if session["status"] != "completed" || session["completed_at"] == nil || session["done_count"] != 3.0 {
				t.Errorf("%v", session)
			}
			same(t, v.send("tech1", a.batch(1, set("/items/site-GN/outcome", `"fail"`))).Status, "late")
			same(t, v.item("site-GN")["outcome"], any("pass"))
			for _, body := range []string{`{"status":"reopened"}`, `{"status":"reopened","reason":" "}`} {
				same(t, httpkittest.WantProblem(t, v.patch("manager", body), http.StatusUnprocessableEntity).Details[0].Field,
					"reason")
			}
			httpkittest.WantProblem(t, v.patch("tech1", `{"status":"reopened","reason":"x"}`), http.StatusForbidden)
			v.reopen()
			session = v.get(http.StatusOK, as("tech1", "GET", v.path("")))
			same(t, []any{
				session["status"], session["reason"], session["completed_at"], session["done_count"],
				session["conflict_count"],
			}, []any{"reopened", "a batch came late", nil, 2.0, 1.0})
			same(t, v.item("site-GN")["state"], any("disputed"))
			c := a.look().conflictAt(t, "/items/site-GN/outcome")
			a.number = 1
			same(t, a.write(resolve(c, `"pass"`, c.dots()...)).Status, "merged")
			v.complete()
			httpkittest.WantProblem(t, v.patch("manager", `{"status":"active"}`), http.StatusUnprocessableEntity)
		}},
		{"a change needs the state that it is meant for", func(t *testing.T, v *visit) {
			patch := func(tag string) int {
				q := as("manager", "PATCH", v.path(""), `{"session_name":"other"}`)
				q.header = map[string]string{"If-Match": tag}
				return v.do(q).Code
			}
			read := func() string {
				return v.do(as("manager", "GET", v.path(""))).Header().Get("ETag")
			}
			httpkittest.WantProblem(t, v.do(as("manager", "PATCH", v.path(""), `{"session_name":"x"}`)),
				http.StatusPreconditionRequired)
			first := read()
			v.send("tech1", batch{changes: []string{set("/x", "1")}})
			same(t, patch(first), http.StatusPreconditionFailed)
			second := read()
			same(t, patch(second), http.StatusOK)
			same(t, patch(second), http.StatusPreconditionFailed)
			third := read()
			v.get(http.StatusOK, as("tech1", "GET", v.path("/sync_status")))
			v.pull("tech1", "tab")
			same(t, read(), third)
			q := as("manager", "GET", v.path(""))
			q.header = map[string]string{"If-None-Match": third}
			same(t, v.do(q).Code, http.StatusNotModified)
		}},
		{"every change of status is in the audit trail of who made it", func(t *testing.T, v *visit) {
			v.accountFor()
			v.complete()
			v.reopen()
			trail := v.get(http.StatusOK, as("manager", "GET", "/v1/users/me/audits?limit=2"))["data"].([]any)
			for i, status := range []string{"reopened", "completed"} {
				e := trail[i].(map[string]any)
				same(t, []any{e["action"], e["subject"], e["data"].(map[string]any)["status"]},
					[]any{"session.update", v.id, status})
			}
		}},
	})
}

// TestCompleteSession_SetsTheLastResult holds that the next visit shows what the one before found.
func TestCompleteSession_SetsTheLastResult(t *testing.T) {
	playSmall(t, []scenario{
		{"of the previous completed visit", func(t *testing.T, v *visit) {
			a, _ := v.pair()
			building := v.get(http.StatusOK, as("tech1", "GET", v.path("")))["building_id"].(string)
			var changes []string
			for _, item := range v.list(v.path("/items")) {
				changes = append(changes, set("/items/"+item["item_id"].(string)+"/outcome", `"pass"`))
			}
			a.write(append(changes, set("/items/HR-1/measurements/flow_lps", "0.450"),
				set("/items/FE-9/note", `"found on site"`))...)
			same(t, v.open(building, v.id+"-meanwhile", "yearly").item("HR-1")["last_result"], nil)
			v.complete()
			next := v.open(building, v.id+"-next", "yearly")
			last := next.item("HR-1")["last_result"].(map[string]any)
			same(t, []any{last["session_id"], last["outcome"], fmt.Sprint(last["measurements"])},
				[]any{v.id, "pass", "map[flow_lps:0.45]"})
			same(t, next.item("FE-1")["last_result"].(map[string]any)["outcome"], any("pass"))
		}},
	})
}

// problems are the fields and reasons of a refusal.
func problems(p httpkittest.Problem) (all []string) {
	for _, d := range p.Details {
		all = append(all, d.Field+": "+d.Reason)
	}
	return all
}

const completed = `{"status":"completed"}`

// firstCondition is "rule/condition" of the first check of an item.
func firstCondition(t *testing.T, item map[string]any) string {
	t.Helper()
	for _, c := range item["checks"].([]any) {
		check := c.(map[string]any)
		for condition := range check["conditions"].(map[string]any) {
			return fmt.Sprint(check["rule_code"], "/", condition)
		}
	}
	t.Fatal("no condition")
	return ""
}

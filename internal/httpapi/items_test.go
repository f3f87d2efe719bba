package httpapi

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"firemode/internal/httpkit/httpkittest"
	"firemode/internal/seed"
)

func TestItems_OfHarbourTower(t *testing.T) {
	t.Parallel()
	onBothEngines(t, func(t *testing.T, w *world) {
		w.t = t
		w.tower()
		yearly := w.open("tower", "yearly", "yearly")
		for _, want := range []struct {
			frequency     string
			items, checks float64
		}{{"monthly", 11, 29}, {"six_monthly", 302, 1968}, {"yearly", 472, 2426}} {
			v := yearly
			if want.frequency != "yearly" {
				v = w.open("tower", want.frequency, want.frequency)
			}
			session := w.get(http.StatusOK, as("technician", "GET", v.path("")))
			same(t, []any{session["item_count"], session["check_count"], session["done_count"]},
				[]any{want.items, want.checks, 0.0})
			items := v.list(v.path("/items"))
			checks := 0
			for i, item := range items {
				checks += len(item["checks"].([]any))
				same(t, []any{item["position"], item["state"]}, []any{float64(i + 1), "untouched"})
			}
			same(t, []int{len(items), checks}, []int{int(want.items), int(want.checks)})
		}
		t.Run("an item tells all that a technician needs", func(t *testing.T) { towerItem(t, yearly) })
		t.Run("filters", func(t *testing.T) { towerFilters(t, yearly) })
	})
}

// TestItems_States follows one extinguisher from untouched to done.
func TestItems_States(t *testing.T) {
	playSmall(t, []scenario{
		{"untouched, incomplete, disputed, done", func(t *testing.T, v *visit) {
			a, b := v.pair()
			want := func(state, outcome string, missing ...string) {
				t.Helper()
				item := v.item("FE-1")
				same(t, fmt.Sprint(item["state"], " ", item["outcome"], " ", item["missing"]),
					fmt.Sprint(state, " ", outcome, " ", missing))
			}
			want("untouched", "<nil>")
			a.write(set(result+"note", `"behind the door"`))
			want("incomplete", "<nil>", "no outcome")
			a.write(set(result+"outcome", `"fail"`))
			want("incomplete", "fail", "the item failed without saying what was seen")
			a.write(set(gauge+"pressure_low", "true"))
			want("done", "fail")
			b.write(set(result+"outcome", `"pass"`))
			want("disputed", "pass", "readings are in dispute")
			c := b.look().conflictAt(t, result+"outcome")
			b.write(resolve(c, `"fail"`, c.dots()...))
			want("done", "fail")
			b.write(set(result+"outcome", `"not_tested"`))
			want("incomplete", "not_tested", "the item was not tested, without a reason")
			b.write(set(result+"reason", `"locked"`))
			want("done", "not_tested")
			b.look()
			b.write(remove(result[:len(result)-1]))
			want("untouched", "<nil>")
		}},
		{"the outcome of one check stands beside that of the item", func(t *testing.T, v *visit) {
			a, _ := v.pair()
			item := v.item("FE-1")
			var changes []string
			for _, c := range item["checks"].([]any) {
				changes = append(changes, set(result+"checks/"+c.(map[string]any)["rule_code"].(string), `"pass"`))
			}
			a.write(changes[1:]...)
			same(t, fmt.Sprint(v.item("FE-1")["missing"]),
				"[no outcome for "+item["checks"].([]any)[0].(map[string]any)["rule_code"].(string)+"]")
			a.write(changes[0])
			same(t, v.item("FE-1")["state"], any("done"))
			a.write(set(result+"checks/AS1851-2012-FE-01", `"fail"`))
			same(t, fmt.Sprint(v.item("FE-1")["missing"]), "[AS1851-2012-FE-01 failed without saying what was seen]")
			a.write(set("/items/FE-1/conditions/AS1851-2012-FE-02/missing", "true"))
			same(t, v.item("FE-1")["state"], any("incomplete"))
			a.write(set(gauge+"gauge_damaged", "true"))
			same(t, v.item("FE-1")["state"], any("done"))
		}},
		{"a value of another type, and what the session does not list, is kept and flagged", func(t *testing.T, v *visit) {
			a, b := v.pair()
			for _, row := range []struct{ path, value, other, flags string }{
				{"/items/FE-1/outcome", `"fine"`, `"pass"`, "[unexpected_type]"},
				{"/items/FE-1/measurements/mass_kg", `"4.5"`, "4.5", "[unexpected_type]"},
				{"/items/FE-1/note", "7", `"x"`, "[unexpected_type]"},
				{gauge + "pressure_low", `"yes"`, "1", "[unexpected_type]"},
				{"/items/FE-1/evidence/e1", "false", "true", "[unexpected_type]"},
				{"/items/FE-1/override/AS1851-2012-FE-01/classification", `"bad"`, `"critical_defect"`, "[unexpected_type]"},
				{"/items/FE-1/note", `"p"`, `"q"`, "[]"},
				{"/items/FE-1/colour", `"red"`, `"blue"`, "[unlisted]"},
				{"/items/FE-1/outcome/deep", `"pass"`, `"fail"`, "[unlisted]"},
				{"/items/FE-1/checks/OTHER", `"pass"`, `"fail"`, "[unlisted]"},
				{"/items/FE-9/outcome", `"pass"`, `"fail"`, "[unlisted]"},
				{"/test", "1", "2", "[unlisted]"},
			} {
				a.write(remove(row.path), set(row.path, row.value))
				b.write(remove(row.path), set(row.path, row.other))
				values := v.pull("engineer", "").conflictAt(t, row.path).Values
				i := slices.IndexFunc(values, func(s sibling) bool { return s.Client == "a" })
				same(t, []string{row.path, string(values[i].Value), fmt.Sprint(values[i].Flags)},
					[]string{row.path, row.value, row.flags})
				a.look()
				a.write(remove(row.path))
				b.look()
			}
		}},
	})
}

// tower imports the register of Harbour Tower through the API, with a baseline.
func (w *world) tower() {
	w.t.Helper()
	w.get(http.StatusCreated, as("manager", "POST", "/v1/buildings",
		`{"building_id":"tower","site_name":"Harbour Tower","site_address":"1 Quay"}`))
	upload := as("manager", "POST", "/v1/buildings/tower/assets/import", string(seed.HarbourTowerCSV()))
	upload.header = map[string]string{"Content-Type": mediaCSV}
	report := w.get(http.StatusOK, upload)
	same(w.t, []any{report["created"], len(report["rejected"].([]any))}, []any{460.0, 5})
	w.get(http.StatusOK, as("manager", "PUT", "/v1/buildings/tower/assets/HR-001/baselines",
		`{"baselines":[{"measurement":"flow_lps","value":0.450,"unit":"L/s","source":"commissioning report","date":"2024-02-29"}]}`))
}

// open makes a session in a building and returns it as a visit.
func (w *world) open(building, id, frequency string) *visit {
	w.t.Helper()
	w.get(http.StatusCreated, as("manager", "POST", "/v1/tests/sessions",
		fmt.Sprintf(`{"session_id":%q,"building_id":%q,"session_name":%q,"frequency":%q}`, id, building, id, frequency)))
	return &visit{world: w, id: id}
}

// list walks a list from page to page, as engineer.
func (v *visit) list(path string) (all []map[string]any) {
	v.t.Helper()
	sep := "?"
	if strings.Contains(path, "?") {
		sep = "&"
	}
	for cursor := ""; ; {
		page := v.get(http.StatusOK, as("engineer", "GET", path+sep+"limit=100"+cursor))
		for _, row := range page["data"].([]any) {
			all = append(all, row.(map[string]any))
		}
		next, more := page["next_cursor"].(string)
		if !more {
			return all
		}
		cursor = "&cursor=" + next
	}
}

// item returns one item of the visit.
func (v *visit) item(id string) map[string]any {
	v.t.Helper()
	all := v.list(v.path("/items?q=" + id))
	i := slices.IndexFunc(all, func(row map[string]any) bool { return row["item_id"] == id })
	if i < 0 {
		v.t.Fatalf("no item %s", id)
	}
	return all[i]
}

// field returns one member of every row.
func field(rows []map[string]any, name string) (all []string) {
	for _, row := range rows {
		all = append(all, fmt.Sprint(row[name]))
	}
	return all
}

func towerItem(t *testing.T, v *visit) {
	reel := v.item("HR-001")
	same(t, []any{reel["kind"], reel["asset_type"], reel["system"]}, []any{"asset", "hose_reel", "HR"})
	location := reel["location"].([]any)
	same(t, []any{len(location), location[0], location[1]}, []any{3, "Harbour Tower", reel["level"]})
	same(t, fmt.Sprint(reel["baselines"]),
		"[map[date:2024-02-29 measurement:flow_lps source:commissioning report unit:L/s value:0.45]]")
	same(t, reel["last_result"], nil)
	checks := reel["checks"].([]any)
	i := slices.IndexFunc(checks, func(c any) bool { return c.(map[string]any)["rule_code"] == "AS1851-2012-HR-07" })
	flow := checks[i].(map[string]any)
	same(t, []any{flow["version"], flow["rule_name"]}, []any{"0.1.0", "Flow test"})
	same(t, fmt.Sprint(flow["conditions"]),
		"map[flow_below_minimum:non_critical_defect jet_insufficient:non_critical_defect no_flow:non_critical_defect]")
	same(t, fmt.Sprint(flow["expected"]), "[map[condition:flow_below_minimum measurement:flow_lps min:0.33 unit:L/s]]")
	same(t, fmt.Sprint(v.item("system-SK")["kind"], v.item("site-GN")["kind"], v.item("site-GN")["location"]),
		"systemsite[Harbour Tower]")
}

func towerFilters(t *testing.T, v *visit) {
	all := v.list(v.path("/items"))
	count := func(keep func(map[string]any) bool) (n int) {
		for _, item := range all {
			if keep(item) {
				n++
			}
		}
		return n
	}
	for _, row := range []struct {
		query string
		keep  func(map[string]any) bool
	}{
		{"level=L05", func(i map[string]any) bool { return i["level"] == "L05" }},
		{"system=FE", func(i map[string]any) bool { return i["system"] == "FE" }},
		{"level=B2&system=HY", func(i map[string]any) bool { return i["level"] == "B2" && i["system"] == "HY" }},
		{"state=untouched&state=done", func(map[string]any) bool { return true }},
		{"state=done", func(map[string]any) bool { return false }},
		{"q=STAIR%20a", func(i map[string]any) bool {
			text := strings.ToLower(fmt.Sprint(i["item_id"], i["name"], i["location"]))
			return strings.Contains(text, "stair a")
		}},
		{"q=fe-10", func(i map[string]any) bool { return strings.HasPrefix(i["item_id"].(string), "FE-10") }},
	} {
		same(t, len(v.list(v.path("/items?"+row.query))), count(row.keep))
	}
	if n := count(func(i map[string]any) bool { return i["level"] == "L05" }); n == 0 {
		t.Error("nothing on L05")
	}
	httpkittest.WantProblem(t, v.do(as("engineer", "GET", v.path("/items?state=lost"))), http.StatusBadRequest)
}

const (
	gauge  = "/items/FE-1/conditions/AS1851-2012-FE-01/"
	result = "/items/FE-1/"
)

// playSmall is play in a building with the extinguisher FE-1 and the hose reel HR-1, six-monthly:
// FE-1, HR-1 and what is due of the site.
func playSmall(t *testing.T, scenarios []scenario) {
	t.Helper()
	for i, s := range scenarios {
		tell := s.tell
		scenarios[i].tell = func(t *testing.T, v *visit) {
			building := "small-" + v.id
			v.get(http.StatusCreated, as("manager", "POST", "/v1/buildings",
				fmt.Sprintf(`{"building_id":%q,"site_name":%q,"site_address":"S","owner_ids":["u-owner"]}`, building, building)))
			for _, asset := range []string{
				`{"asset_id":"FE-1","asset_type":"extinguisher_powder"}`,
				`{"asset_id":"HR-1","asset_type":"hose_reel"}`,
			} {
				v.get(http.StatusCreated, as("manager", "POST", "/v1/buildings/"+building+"/assets", asset))
			}
			small := v.open(building, v.id+"-small", "yearly")
			tell(t, small)
		}
	}
	play(t, scenarios)
}

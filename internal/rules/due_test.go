package rules_test

import (
	"encoding/json"
	"os"
	"slices"
	"testing"

	"firemode"
	"firemode/internal/rules"
)

// TestHarbourTower counts what is due at a real-sized building: every asset in service, each of its
// systems once, the site.
func TestHarbourTower(t *testing.T) {
	data, err := os.ReadFile("testdata/harbour_tower.json")
	if err != nil {
		t.Fatal(err)
	}
	var tower struct {
		About  string         `json:"about"`
		Assets map[string]int `json:"assets"` // code of the asset type → how many
	}
	if err := json.Unmarshal(data, &tower); err != nil {
		t.Fatal(err)
	}
	things, systems := map[string]int{}, map[string]bool{}
	total := 0
	for code, n := range tower.Assets {
		at, ok := rules.TypeByCode(code)
		if !ok {
			t.Fatalf("no type %s", code)
		}
		things[code], systems[at.System] = n, true
		total += n
	}
	nSystems, nSites := 0, 0
	for _, at := range rules.Types() {
		switch {
		case at.Kind == firemode.KindSystem && systems[at.System]:
			things[at.Code] = 1
			nSystems++
		case at.Kind == firemode.KindSite:
			things[at.Code] = 1
			nSites++
		}
	}
	if total != 460 || nSystems != 9 || nSites != 3 {
		t.Errorf("%d assets, %d systems, %d site items, want 460, 9, 3", total, nSystems, nSites)
	}
	set := rules.NewSet(catalogue(t))
	for f, want := range map[firemode.Frequency][2]int{
		firemode.Monthly: {11, 29}, firemode.SixMonthly: {302, 1968}, firemode.Yearly: {472, 2426},
		firemode.Weekly: {0, 0},
	} {
		var got [2]int
		for code, n := range things {
			at, _ := rules.TypeByCode(code)
			if due := rules.Due(at, f, set, day0); len(due) > 0 {
				got[0] += n
				got[1] += n * len(due)
			}
		}
		if got != want {
			t.Errorf("%s: %d items with %d checks, want %d with %d", f, got[0], got[1], want[0], want[1])
		}
	}
}

func TestDueKeepsTheTypesOrderAndPinsVersions(t *testing.T) {
	rs := []firemode.Rule{
		{Code: "B", Version: "1.0.0", Frequencies: []firemode.Frequency{firemode.Monthly}, CreatedAt: day(1)},
		{
			Code: "A", Version: "1.0.0", Frequencies: []firemode.Frequency{firemode.Yearly, firemode.Weekly},
			CreatedAt: day(1),
		},
		{Code: "A", Version: "1.10.0", Frequencies: []firemode.Frequency{firemode.Weekly}, CreatedAt: day(3)},
		{Code: "C", Version: "1.0.0", Frequencies: []firemode.Frequency{firemode.AfterUse}, CreatedAt: day(1)},
		{Code: "D", Version: "1.0.0", CreatedAt: day(1)},
	}
	at := rules.AssetType{Rules: []firemode.RuleCode{"B", "unknown", "A", "C", "D"}}
	for _, c := range []struct {
		f    firemode.Frequency
		day  int
		want []firemode.Check
	}{
		{firemode.Monthly, 0, nil},
		{firemode.Monthly, 1, []firemode.Check{{Rule: "B", Version: "1.0.0"}, {Rule: "A", Version: "1.0.0"}}},
		{firemode.ThirtyYearly, 3, []firemode.Check{{Rule: "B", Version: "1.0.0"}, {Rule: "A", Version: "1.10.0"}}},
		{firemode.Weekly, 3, []firemode.Check{{Rule: "A", Version: "1.10.0"}}},
		{firemode.AfterUse, 3, []firemode.Check{{Rule: "C", Version: "1.0.0"}}},
	} {
		if got := rules.Due(at, c.f, rules.NewSet(rs), day(c.day)); !slices.Equal(got, c.want) {
			t.Errorf("%s on day %d: %v, want %v", c.f, c.day, got, c.want)
		}
	}
}

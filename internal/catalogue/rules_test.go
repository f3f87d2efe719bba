package catalogue_test

import (
	"slices"
	"testing"

	"firemode"
	"firemode/internal/catalogue"
	"firemode/internal/store"
)

func TestRules_Filters_ListByCode(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := as(t, "acme")
	for filter, want := range map[catalogue.Filter]int{
		{}:                              174,
		{System: "FE"}:                  19,
		{System: "XX"}:                  0,
		{Frequency: firemode.AfterUse}:  1,
		{Text: "PRESSURE_LOW"}:          4, // part of a condition of SK-17, PU-04, SH-01 and FE-01
		{Text: "water supply proving"}:  1,
		{Text: "-fe-0", System: "FE"}:   9,
		{Text: "-fe-0", System: "SK"}:   0,
		{Frequency: firemode.TenYearly}: 2,
	} {
		got := walk(t, 7, func(p store.Page) ([]store.Keyed[firemode.Rule], error) { return w.Rules(ctx, filter, p) })
		sorted := slices.IsSortedFunc(got, func(a, b firemode.Rule) int {
			if a.Code < b.Code {
				return -1
			}
			return 1
		})
		if len(got) != want || !sorted {
			t.Errorf("%+v: %d rules, sorted %v, want %d", filter, len(got), sorted, want)
		}
	}
}

func TestVersions_ListNewestFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := as(t, "acme")
	for _, version := range []string{"1.9.0", "1.10.0", "1.10.0-rc.1", "2.0.0"} {
		if _, err := w.Create(ctx, rule(version, firemode.ClassCritical)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Deactivate(ctx, fe01, "2.0.0"); err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= 6; n++ {
		var got []string
		list := func(p store.Page) ([]store.Keyed[firemode.Rule], error) { return w.Versions(ctx, fe01, p) }
		for _, r := range walk(t, n, list) {
			got = append(got, r.Version)
		}
		if want := []string{"2.0.0", "1.10.0", "1.10.0-rc.1", "1.9.0", "0.1.0"}; !slices.Equal(got, want) {
			t.Errorf("in pages of %d: %v, want %v", n, got, want)
		}
	}
	_, err := w.Versions(ctx, "NO-SUCH", store.Page{Limit: 1})
	wantCode(t, err, firemode.CodeNotFound)
	_, err = w.Versions(ctx, fe01, store.Page{Limit: 1, After: "x"})
	wantCode(t, err, firemode.CodeMalformed)
}

// walk reads a list to its end, in pages of n.
func walk(t *testing.T, n int, list func(store.Page) ([]store.Keyed[firemode.Rule], error)) []firemode.Rule {
	t.Helper()
	var all []firemode.Rule
	page := store.Page{Limit: n}
	for {
		rows, err := list(page)
		if err != nil {
			t.Fatal(err)
		}
		if len(rows) > n {
			t.Fatalf("%d rows, the limit is %d", len(rows), n)
		}
		for _, row := range rows {
			all = append(all, row.Row)
			page.After = row.Key
		}
		if len(rows) < n {
			return all
		}
	}
}

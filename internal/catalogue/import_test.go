package catalogue_test

import (
	"strings"
	"testing"

	"firemode"
)

const imported = `{"catalogue": "ours", "version": "1", "disclaimer": "Ours.", "rules": [
	{"rule_code": "ACME-1", "version": "1.0.0", "rule_name": "One",
		"rule_schema": {"classification_mappings": {"bad": "not_tested"}}},
	{"rule_code": "ACME-2", "version": "1.0.0", "rule_name": "Two",
		"rule_schema": {"classification_mappings": {"bad": "not_tested"}}}]}`

func TestImport_AllOrNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, want := range [][2]int{{2, 0}, {0, 2}} {
		created, unchanged, err := w.Import(t.Context(), "acme", strings.NewReader(imported))
		if err != nil || [2]int{created, unchanged} != want {
			t.Fatalf("created %d, unchanged %d, %v, want %v", created, unchanged, err, want)
		}
	}
	if r, err := w.Rule(as(t, "acme"), "ACME-2"); err != nil || r.Note != "Ours." {
		t.Errorf("%+v, %v", r, err)
	}
	if n := len(w.audits(t, "acme")); n != 2 {
		t.Errorf("%d entries in the log, want 2", n)
	}
	// One of the two has another body: nothing is imported, and the error names it.
	text := strings.NewReplacer(`"Two"`, `"Zwei"`, "ACME-1", "ACME-3").Replace(imported)
	_, _, err := w.Import(t.Context(), "acme", strings.NewReader(text))
	wantCode(t, err, firemode.CodeConflict)
	if got := details(err); len(got) != 1 || got[0].Reason != "ACME-2 1.0.0 exists with another body" {
		t.Errorf("details %v", got)
	}
	_, err = w.Rule(as(t, "acme"), "ACME-3")
	wantCode(t, err, firemode.CodeNotFound)
	_, _, err = w.Import(t.Context(), "nobody", strings.NewReader(imported))
	wantCode(t, err, firemode.CodeNotFound)
	_, _, err = w.Import(t.Context(), "acme", strings.NewReader("{"))
	wantCode(t, err, firemode.CodeMalformed)
	_, _, err = w.Import(t.Context(), "acme", strings.NewReader(strings.Repeat(" ", 8<<20+1)))
	wantCode(t, err, firemode.CodeTooLarge)
}

func TestImport_SharedCatalogue_ReachesAllOrganisations(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.Rule(as(t, "other"), "ACME-1")
	wantCode(t, err, firemode.CodeNotFound) // and the rule set is cached
	if _, _, err := w.Import(t.Context(), "", strings.NewReader(imported)); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Rule(as(t, "other"), "ACME-1"); err != nil {
		t.Error(err)
	}
}

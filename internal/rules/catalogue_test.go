package rules_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"firemode"
)

// TestCatalogueIsComplete holds the embedded data to the numbers of its source.
func TestCatalogueIsComplete(t *testing.T) {
	systems := map[string]int{}
	classes := map[firemode.Class]int{}
	conditions, escalations := 0, 0
	for _, r := range catalogue(t) {
		systems[r.System]++
		conditions += len(r.Schema.Classifications)
		escalations += len(r.Schema.Escalations)
		for _, class := range r.Schema.Classifications {
			classes[class]++
		}
	}
	if len(systems) != 17 || conditions != 597 || escalations != 195 {
		t.Errorf("%d systems, %d conditions, %d escalations, want 17, 597, 195", len(systems), conditions, escalations)
	}
	want := map[firemode.Class]int{
		firemode.ClassCritical: 67, firemode.ClassNonCritical: 416, firemode.ClassNonConformance: 111,
		firemode.ClassNotTested: 3,
	}
	if !maps.Equal(classes, want) {
		t.Errorf("%v, want %v", classes, want)
	}
}

// TestEveryRuleSaysThatItIsIllustrative: nobody may take the catalogue for the Standard.
func TestEveryRuleSaysThatItIsIllustrative(t *testing.T) {
	for _, r := range catalogue(t) {
		for _, words := range []string{
			"Not the text of any Standard.", "competent person",
			"Status: illustrative; frequencies: ",
		} {
			if !strings.Contains(r.Note, words) {
				t.Errorf("%s: the note does not say %q", r.Code, words)
			}
		}
	}
}

func TestNoteOfTheExampleRule(t *testing.T) {
	rs := catalogue(t)
	i := slices.IndexFunc(rs, func(r firemode.Rule) bool { return r.Code == "AS1851-2012-HR-07" })
	const want = "0.33 L/s is the widely published minimum. " +
		"Status: illustrative; frequencies: stated by a public source. " +
		"All classes are illustrative. Limit of flow_lps: stated by a public source. " +
		"Paraphrased general knowledge. Not the text of any Standard. " +
		"To be checked against a licensed copy by a competent person before use."
	if rs[i].Note != want {
		t.Errorf("got  %s\nwant %s", rs[i].Note, want)
	}
}

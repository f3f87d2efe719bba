package rules_test

import (
	"testing"

	"firemode/internal/rules"
)

func TestCatalogueIsComplete(t *testing.T) {
	rs, err := rules.Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	conditions := 0
	for _, r := range rs {
		conditions += len(r.Schema.Classifications)
	}
	if len(rs) != 174 || conditions != 597 {
		t.Errorf("%d rules with %d conditions, want 174 with 597", len(rs), conditions)
	}
}

package catalogue_test

import (
	"strings"
	"testing"
	"time"

	"firemode"
	"firemode/internal/catalogue"
	"firemode/internal/store"
	"firemode/internal/store/storetest"
)

// Before the shared catalogue has an audit log, nothing says when its rules were created.
func TestRecomputer_CatalogueWithoutAuditLog_IsAccepted(t *testing.T) {
	t.Parallel()
	s := storetest.OpenSQLiteAt(t, func() time.Time { return epoch })
	w := &world{newService(t, s, "a"), s}
	old := rule("0.0.1", firemode.ClassCritical)
	create := func(r firemode.Rule) {
		t.Helper()
		if err := s.Update(t.Context(), func(tx store.Tx) error {
			return store.As[store.RuleWriter](tx).CreateRules(t.Context(), []firemode.Rule{r})
		}); err != nil {
			t.Fatal(err)
		}
	}
	old.CreatedAt = epoch.Add(-time.Hour)
	create(old)
	if found := w.verified(t, ""); len(found) > 0 {
		t.Errorf("before there is a log: %v", found)
	}
	for range 2 {
		if err := w.Seed(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if found := w.verified(t, ""); len(found) > 0 {
		t.Errorf("the log does not tell what there was: %v", found)
	}
	if n := len(w.audits(t, "")); n != 175 {
		t.Errorf("%d entries, want one for each rule", n)
	}
	added := rule("0.0.2", firemode.ClassCritical)
	added.CreatedAt = epoch
	create(added)
	if found := w.verified(t, ""); len(found) != 1 || !strings.HasPrefix(found[0], "rules AS1851-2012-FE-01 0.0.2") {
		t.Errorf("put in by hand: %v", found)
	}
}

// verified returns the differences that the Recomputer reports in the rules of org.
func (w *world) verified(t *testing.T, org firemode.OrgID) (found []string) {
	t.Helper()
	recomputation := catalogue.Recomputer{}.Recompute(org)
	for _, e := range w.audits(t, org) {
		recomputation.Audit(e)
	}
	err := w.store.View(t.Context(), func(tx store.ReadTx) error {
		_, err := recomputation.Organisation(t.Context(), tx, func(where, what string) {
			found = append(found, where+": "+what)
		})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

package catalogue_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"firemode"
	"firemode/internal/catalogue"
	"firemode/internal/store"
	"firemode/internal/store/storetest"
)

func TestCreateIsInForceAtOnceForItsOrganisationAlone(t *testing.T) {
	w := newWorld(t)
	acme, other := as(t, "acme"), as(t, "other")
	if r, err := w.Rule(acme, fe01); err != nil || r.Version != "0.1.0" {
		t.Fatalf("%s, %v, want the shared 0.1.0", r.Version, err)
	}
	for _, version := range []string{"1.9.0", "1.10.0", "1.2.0"} {
		created, err := w.Create(acme, rule(version, firemode.ClassCritical))
		if err != nil || created.Org != "acme" || created.CreatedBy != "u-acme" || !created.CreatedAt.Equal(epoch) {
			t.Fatalf("%+v, %v", created, err)
		}
	}
	if r, err := w.Rule(acme, fe01); err != nil || r.Version != "1.10.0" {
		t.Errorf("acme: %s, %v, want 1.10.0", r.Version, err)
	}
	if r, err := w.Rule(other, fe01); err != nil || r.Version != "0.1.0" {
		t.Errorf("other: %s, %v, want the shared 0.1.0", r.Version, err)
	}
	if _, err := w.Version(other, fe01, "1.10.0"); firemode.CodeOf(err) != firemode.CodeNotFound {
		t.Errorf("other sees acme's version: %v", err)
	}
	log := w.audits(t, "acme")
	if len(log) != 3 || log[1].Action != "rule.create" || log[1].Subject != string(fe01) || log[1].User != "u-acme" ||
		!strings.Contains(string(log[1].Data), `"version":"1.10.0"`) {
		t.Errorf("audit log %+v", log)
	}
	if len(w.audits(t, "other")) != 0 {
		t.Error("other's log has an entry")
	}
}

func TestCreateTwice(t *testing.T) {
	w := newWorld(t)
	ctx := as(t, "acme")
	first, err := w.Create(ctx, rule("1.0.0", firemode.ClassCritical))
	if err != nil {
		t.Fatal(err)
	}
	again, err := w.Create(ctx, rule("1.0.0", firemode.ClassCritical))
	if err != nil || !again.CreatedAt.Equal(first.CreatedAt) || string(again.Creation) != string(first.Creation) {
		t.Errorf("the same body again: %+v, %v, want the first one", again, err)
	}
	_, err = w.Create(ctx, rule("1.0.0", firemode.ClassNotTested))
	wantCode(t, err, firemode.CodeConflict)
	_, err = w.Create(ctx, rule("0.1.0", firemode.ClassNotTested))
	wantCode(t, err, firemode.CodeConflict) // of the shared catalogue
	if n := len(w.audits(t, "acme")); n != 1 {
		t.Errorf("%d entries in the log, want 1", n)
	}
}

func TestCreateRefuses(t *testing.T) {
	w := newWorld(t)
	_, err := w.Create(as(t, "acme"), rule("1.0", "bad"))
	wantCode(t, err, firemode.CodeInvalid)
	var fields []string
	for _, d := range details(err) {
		fields = append(fields, d.Field)
	}
	if want := []string{"version", "rule_schema.classification_mappings.pressure_low"}; !slices.Equal(fields, want) {
		t.Errorf("fields %v, want %v", fields, want)
	}
	_, err = w.Create(t.Context(), rule("1.0.0", firemode.ClassCritical))
	wantCode(t, err, firemode.CodeUnauthenticated)
}

func TestCreateIsIdempotentByKey(t *testing.T) {
	w := newWorld(t)
	ctx, claim := once(as(t, "acme"), "k", "request")
	first, err := w.Create(ctx, rule("1.0.0", firemode.ClassCritical))
	if err != nil || claim.Replayed {
		t.Fatalf("%v, replayed %v", err, claim.Replayed)
	}
	ctx, claim = once(as(t, "acme"), "k", "request")
	again, err := w.Create(ctx, rule("1.0.0", firemode.ClassCritical))
	if err != nil || !claim.Replayed || again.Version != first.Version || !again.CreatedAt.Equal(first.CreatedAt) {
		t.Errorf("%+v, %v, replayed %v", again, err, claim.Replayed)
	}
	ctx, _ = once(as(t, "acme"), "k", "another request")
	_, err = w.Create(ctx, rule("2.0.0", firemode.ClassCritical))
	wantCode(t, err, firemode.CodeConflict)
}

func TestDeactivate(t *testing.T) {
	w := newWorld(t)
	acme, other := as(t, "acme"), as(t, "other")
	if _, err := w.Create(acme, rule("1.0.0", firemode.ClassCritical)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		r, err := w.Deactivate(acme, fe01, "1.0.0")
		if err != nil || !r.DeactivatedAt.Equal(epoch) {
			t.Fatalf("%+v, %v", r, err)
		}
	}
	if r, err := w.Rule(acme, fe01); err != nil || r.Version != "0.1.0" {
		t.Errorf("in force is %s, %v, want 0.1.0 again", r.Version, err)
	}
	if _, err := w.Deactivate(acme, fe01, "0.1.0"); err != nil {
		t.Fatal(err)
	}
	_, err := w.Rule(acme, fe01)
	wantCode(t, err, firemode.CodeNotFound)
	if r, err := w.Version(acme, fe01, "0.1.0"); err != nil || !r.DeactivatedAt.Equal(epoch) {
		t.Errorf("%+v, %v, want the inactive version", r, err)
	}
	if r, err := w.Rule(other, fe01); err != nil || !r.DeactivatedAt.IsZero() {
		t.Errorf("other: %+v, %v, want the shared version in force", r, err)
	}
	_, err = w.Deactivate(acme, fe01, "9.9.9")
	wantCode(t, err, firemode.CodeNotFound)
	_, err = w.Deactivate(other, fe01, "1.0.0")
	wantCode(t, err, firemode.CodeNotFound)
	var actions []string
	for _, e := range w.audits(t, "acme") {
		actions = append(actions, e.Action)
	}
	if want := []string{"rule.create", "rule.deactivate", "rule.deactivate"}; !slices.Equal(actions, want) {
		t.Errorf("log %v, want %v", actions, want)
	}
}

func TestSeedTwiceChangesNothing(t *testing.T) {
	w := newWorld(t)
	stamp := func() (n int64) {
		err := w.store.View(t.Context(), func(tx store.ReadTx) (err error) {
			n, err = store.As[store.RuleReader](tx).RulesStamp(t.Context(), "")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := stamp()
	if err := w.Seed(t.Context()); err != nil {
		t.Fatal(err)
	}
	if after := stamp(); after != before {
		t.Errorf("the stamp went from %d to %d", before, after)
	}
	if n := len(w.audits(t, "")); n != 174 {
		t.Errorf("%d entries in the log of the shared catalogue, want one for each rule", n)
	}
	book, err := w.RuleSet(t.Context(), "acme")
	if err != nil || len(book.All()) != 174 {
		t.Errorf("%d rules, %v, want 174", len(book.All()), err)
	}
}

// TestLogOfAnOlderCatalogue: before there was a log of the shared catalogue nothing tells when its rules were made. Once there is, all is told.
func TestLogOfAnOlderCatalogue(t *testing.T) {
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

// verified is what differs in the rules of org.
func (w *world) verified(t *testing.T, org firemode.OrgID) (found []string) {
	t.Helper()
	told := catalogue.NewAudited()
	for _, e := range w.audits(t, org) {
		told.Audit(e)
	}
	err := w.store.View(t.Context(), func(tx store.ReadTx) error {
		_, err := told.Verify(t.Context(), tx, org, func(where, what string) { found = append(found, where+": "+what) })
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

const imported = `{"catalogue": "ours", "version": "1", "disclaimer": "Ours.", "rules": [
	{"rule_code": "ACME-1", "version": "1.0.0", "rule_name": "One", "rule_schema": {"classification_mappings": {"bad": "not_tested"}}},
	{"rule_code": "ACME-2", "version": "1.0.0", "rule_name": "Two", "rule_schema": {"classification_mappings": {"bad": "not_tested"}}}]}`

func TestImport(t *testing.T) {
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
	// One of two has another body: nothing is imported, and the message names it.
	text := strings.NewReplacer(`"Two"`, `"Zwei"`, "ACME-1", "ACME-3").Replace(imported)
	_, _, err := w.Import(t.Context(), "acme", strings.NewReader(text))
	wantCode(t, err, firemode.CodeConflict)
	if got := details(err); len(got) != 1 || got[0].Reason != "ACME-2 1.0.0 is there with another body" {
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

func TestImportIntoTheSharedCatalogueReachesEverybody(t *testing.T) {
	w := newWorld(t)
	_, err := w.Rule(as(t, "other"), "ACME-1")
	wantCode(t, err, firemode.CodeNotFound) // and the book is loaded
	if _, _, err := w.Import(t.Context(), "", strings.NewReader(imported)); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Rule(as(t, "other"), "ACME-1"); err != nil {
		t.Error(err)
	}
}

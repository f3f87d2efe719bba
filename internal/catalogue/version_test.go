package catalogue_test

import (
	"slices"
	"strings"
	"testing"

	"firemode"
)

func TestCreate_InForceImmediatelyForItsOrganisationOnly(t *testing.T) {
	t.Parallel()
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

func TestCreate_SameVersionTwice_OneCreationOrConflict(t *testing.T) {
	t.Parallel()
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

func TestCreate_Invalid_NamesTheFields(t *testing.T) {
	t.Parallel()
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

func TestCreate_SameIdempotencyKey_ReplaysTheRule(t *testing.T) {
	t.Parallel()
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

func TestDeactivate_ForTheCallersOrganisationOnly(t *testing.T) {
	t.Parallel()
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

func TestCreate_AnotherNodeCreatesTheVersion_ReturnsItsRule(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	late := &blind{Store: w.store}
	node2 := newService(t, late, "b")
	if _, err := w.Create(as(t, "acme"), rule("1.0.0", firemode.ClassCritical)); err != nil {
		t.Fatal(err)
	}
	late.blindReads.Store(1)
	if r, err := node2.Create(as(t, "acme"), rule("1.0.0", firemode.ClassCritical)); err != nil ||
		r.Version != "1.0.0" {
		t.Errorf("%+v, %v, want the other node's rule", r, err)
	}
	late.blindReads.Store(1)
	_, err := node2.Create(as(t, "acme"), rule("1.0.0", firemode.ClassNotTested))
	wantCode(t, err, firemode.CodeConflict)
	if n := len(w.audits(t, "acme")); n != 1 {
		t.Errorf("%d entries in the log, want 1", n)
	}
}

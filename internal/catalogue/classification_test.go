package catalogue_test

import (
	"testing"

	"firemode"
	"firemode/internal/catalogue"
	"firemode/internal/rules"
)

var pressureLow = catalogue.Request{Code: fe01, Finding: rules.Finding{Condition: "pressure_low"}}

func TestClassify_ReturnsClassAndAppendsAuditEntry(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	q := pressureLow
	q.Scope = rules.Scope{"only_unit_in_area": true}
	got, err := w.Classify(as(t, "acme"), q)
	want := catalogue.Answer{
		Classification: rules.Classification{
			Class: firemode.ClassCritical, Default: firemode.ClassNonCritical, Condition: "pressure_low",
			Basis: "escalated", Reason: "only_unit_in_area: true",
		},
		Code: fe01, Version: "0.1.0", AuditID: "a-1",
	}
	if err != nil || got != want {
		t.Fatalf("%+v, %v, want %+v", got, err, want)
	}
	log := w.audits(t, "acme")
	if len(log) != 1 {
		t.Fatalf("%d entries in the log, want 1", len(log))
	}
	const data = `{"version":"0.1.0","condition":"pressure_low","scope":{"only_unit_in_area":true},` +
		`"classification":"critical_defect","default_classification":"non_critical_defect",` +
		`"basis":"escalated","reason":"only_unit_in_area: true"}`
	e := log[0]
	if e.ID != "a-1" || e.Action != "classify" || e.Subject != string(fe01) || e.User != "u-acme" ||
		!e.At.Equal(epoch) ||
		string(e.Data) != data {
		t.Errorf("entry %+v\ndata %s\nwant %s", e, e.Data, data)
	}
}

func TestClassify_MeasurementWithinLimits_HasNoClass(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got, err := w.Classify(as(t, "acme"), catalogue.Request{
		Code: "AS1851-2012-HR-07", Finding: rules.Finding{Measurement: "flow_lps", Value: "0.40", Unit: "L/s"},
	})
	if err != nil || !got.WithinLimits || got.Class != "" || got.AuditID == "" {
		t.Errorf("%+v, %v, want within limits", got, err)
	}
	const data = `{"version":"0.1.0","measurement":"flow_lps","value":"0.40","unit":"L/s","within_limits":true}`
	if log := w.audits(t, "acme"); len(log) != 1 || string(log[0].Data) != data {
		t.Errorf("log %+v", log)
	}
}

func TestClassify_Invalid_IsRefusedAndNotAudited(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.Classify(as(t, "acme"), catalogue.Request{Code: "NO-SUCH", Finding: pressureLow.Finding})
	wantCode(t, err, firemode.CodeNotFound)
	_, err = w.Classify(as(t, "acme"), catalogue.Request{Code: fe01, Finding: rules.Finding{Condition: "nothing"}})
	wantCode(t, err, firemode.CodeInvalid)
	_, err = w.Classify(t.Context(), pressureLow)
	wantCode(t, err, firemode.CodeUnauthenticated)
	if n := len(w.audits(t, "acme")); n != 0 {
		t.Errorf("%d entries in the log, want none", n)
	}
	w.Close()
	_, err = w.Classify(as(t, "acme"), pressureLow)
	wantCode(t, err, firemode.CodeUnavailable)
}

func TestClassify_SameIdempotencyKey_ReplaysTheAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, claim := once(as(t, "acme"), "k", "request")
	first, err := w.Classify(ctx, pressureLow)
	if err != nil || claim.Replayed {
		t.Fatalf("%v, replayed %v", err, claim.Replayed)
	}
	// The stored response is replayed even if the rule is no longer in force.
	if _, err := w.Deactivate(as(t, "acme"), fe01, "0.1.0"); err != nil {
		t.Fatal(err)
	}
	ctx, claim = once(as(t, "acme"), "k", "request")
	if again, err := w.Classify(ctx, pressureLow); err != nil || again != first || !claim.Replayed {
		t.Errorf("%+v, %v, replayed %v, want %+v", again, err, claim.Replayed, first)
	}
	ctx, claim = once(as(t, "acme"), "k", "another request")
	_, err = w.Classify(ctx, pressureLow)
	wantCode(t, err, firemode.CodeConflict)
	ctx, _ = once(as(t, "acme"), "k2", "request")
	_, err = w.Classify(ctx, pressureLow)
	wantCode(t, err, firemode.CodeNotFound)
	if n := len(w.audits(t, "acme")); n != 2 || claim.Replayed {
		t.Errorf("%d entries in the log, want the classification and the deactivation", n)
	}
}

func BenchmarkClassify(b *testing.B) {
	w := newWorld(b)
	b.SetParallelism(64)
	b.RunParallel(func(pb *testing.PB) {
		ctx := firemode.WithPrincipal(b.Context(), firemode.Principal{Org: "acme", User: "u"})
		for pb.Next() {
			if _, err := w.Classify(ctx, pressureLow); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

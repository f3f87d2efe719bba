package catalogue_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"firemode"
	"firemode/internal/catalogue"
	"firemode/internal/rules"
	"firemode/internal/store"
)

var pressureLow = catalogue.Request{Code: fe01, Finding: rules.Finding{Condition: "pressure_low"}}

func TestClassify(t *testing.T) {
	w := newWorld(t)
	q := pressureLow
	q.Scope = rules.Scope{"only_unit_in_area": true}
	got, err := w.Classify(as(t, "acme"), q)
	want := catalogue.Answer{
		Classification: rules.Classification{
			Class: firemode.ClassCritical, Default: firemode.ClassNonCritical, Condition: "pressure_low", Basis: "escalated", Reason: "only_unit_in_area: true",
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
	const data = `{"version":"0.1.0","condition":"pressure_low","scope":{"only_unit_in_area":true},"classification":"critical_defect",` +
		`"default_classification":"non_critical_defect","basis":"escalated","reason":"only_unit_in_area: true"}`
	e := log[0]
	if e.ID != "a-1" || e.Action != "classify" || e.Subject != string(fe01) || e.User != "u-acme" || !e.At.Equal(epoch) || string(e.Data) != data {
		t.Errorf("entry %+v\ndata %s\nwant %s", e, e.Data, data)
	}
}

func TestClassifyAMeasurementWithinLimits(t *testing.T) {
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

func TestClassifyRefuses(t *testing.T) {
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

func TestClassifyIsIdempotentByKey(t *testing.T) {
	w := newWorld(t)
	ctx, claim := once(as(t, "acme"), "k", "request")
	first, err := w.Classify(ctx, pressureLow)
	if err != nil || claim.Replayed {
		t.Fatalf("%v, replayed %v", err, claim.Replayed)
	}
	// The stored answer stands even when the rule that gave it is no longer in force.
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

// TestConcurrentClassifications: every acknowledged one has exactly one entry, in its own organisation's chain; the same key is
// answered once, and a bad request fails alone.
func TestConcurrentClassifications(t *testing.T) {
	const callers, each = 16, 25
	w := newWorld(t)
	var mu sync.Mutex
	acknowledged := map[firemode.OrgID][]string{}
	shared := map[firemode.AuditID]bool{}
	var group sync.WaitGroup
	for i := range callers {
		group.Go(func() {
			org := []firemode.OrgID{"acme", "other"}[i%2]
			for j := range each {
				ctx, _ := once(as(t, org), fmt.Sprintf("%d-%d", i, j), "request")
				if _, err := w.Classify(ctx, catalogue.Request{Code: fe01}); firemode.CodeOf(err) != firemode.CodeInvalid {
					t.Errorf("a bad request: %v, want CodeInvalid", err)
				}
				a, err := w.Classify(ctx, pressureLow)
				if err != nil {
					t.Error(err)
					return
				}
				ctx, _ = once(as(t, "acme"), "shared", "request")
				s, err := w.Classify(ctx, pressureLow)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				acknowledged[org] = append(acknowledged[org], string(a.AuditID))
				shared[s.AuditID] = true
				mu.Unlock()
			}
		})
	}
	group.Wait()
	if len(shared) != 1 {
		t.Fatalf("one key was answered %d ways", len(shared))
	}
	for id := range shared {
		acknowledged["acme"] = append(acknowledged["acme"], string(id))
	}
	for org, want := range acknowledged {
		var got []string
		for _, e := range w.audits(t, org) {
			got = append(got, string(e.ID))
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %d entries in the log, %d were acknowledged", org, len(got), len(want))
		}
	}
}

// failing is a store whose Updates fail with err while it is not nil.
type failing struct {
	store.Store
	err error
}

func (f *failing) Update(ctx context.Context, fn func(store.Tx) error) error {
	if f.err != nil {
		return f.err
	}
	return f.Store.Update(ctx, fn)
}

func TestNothingIsAnsweredThatIsNotDurable(t *testing.T) {
	w := newWorld(t)
	broken := &failing{Store: w.store, err: fmt.Errorf("disk: %w", store.ErrOutcomeUnknown)}
	svc := newService(t, broken, "b")
	if _, err := svc.Classify(as(t, "acme"), pressureLow); !errors.Is(err, store.ErrOutcomeUnknown) {
		t.Errorf("got %v, want ErrOutcomeUnknown", err)
	}
	broken.err = nil
	if _, err := svc.Classify(as(t, "acme"), pressureLow); err != nil {
		t.Error(err)
	}
	if log := w.audits(t, "acme"); len(log) != 1 || !strings.HasPrefix(string(log[0].ID), "b-") {
		t.Errorf("log %+v, want the second alone", log)
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

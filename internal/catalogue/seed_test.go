package catalogue_test

import (
	"testing"

	"firemode"
	"firemode/internal/store"
)

func TestSeed_AnotherNodeSeeds_Succeeds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	late := &blind{Store: w.store}
	late.blindReads.Store(1)
	if err := newService(t, late, "b").Seed(t.Context()); err != nil {
		t.Error(err)
	}
	late.blindReads.Store(2)
	if err := newService(t, late, "c").Seed(t.Context()); err != nil {
		t.Error(err)
	}
	late.blindReads.Store(3)
	wantCode(t, newService(t, late, "d").Seed(t.Context()), firemode.CodeConflict)
}

func TestSeed_Twice_ChangesNothing(t *testing.T) {
	t.Parallel()
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
	set, err := w.RuleSet(t.Context(), "acme")
	if err != nil || len(set.All()) != 174 {
		t.Errorf("%d rules, %v, want 174", len(set.All()), err)
	}
}

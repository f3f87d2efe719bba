package catalogue_test

import (
	"sync/atomic"
	"testing"

	"firemode/internal/catalogue"
)

// What shared a transaction is told once, and what was not committed is not.
func TestGroupsAreToldOf(t *testing.T) {
	w := newWorld(t)
	var groups, carried atomic.Int64
	svc, err := catalogue.New(w.store, catalogue.Config{
		NewID: func() string { return "told-" + string(rune('a'+carried.Load())) },
		Committed: func(queue string, size int) {
			if queue != catalogue.Queue {
				t.Errorf("queue %s", queue)
			}
			groups.Add(1)
			carried.Add(int64(size))
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(svc.Close)
	for range 3 {
		if _, err := svc.Classify(as(t, "acme"), pressureLow); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := svc.Classify(as(t, "acme"), catalogue.Request{Code: fe01}); err == nil {
		t.Error("nothing was observed, and it was classified")
	}
	if groups.Load() != 3 || carried.Load() != 3 {
		t.Errorf("%d groups of %d, want 3 of 3", groups.Load(), carried.Load())
	}
}

package catalogue_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"firemode"
	"firemode/internal/catalogue"
	"firemode/internal/store"
)

// A commit is reported once, with its number of classifications; what was not committed is not
// reported.
func TestRecorder_Commit_ReportsItsSize(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var groups, carried atomic.Int64
	svc, err := catalogue.New(w.store, catalogue.Config{
		NewID: func() string { return "node-" + string(rune('a'+carried.Load())) },
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

func TestClassify_AnotherNodeAnswersTheKey_ReplaysItsAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	late := &blind{Store: w.store}
	node2 := newService(t, late, "b")
	ctx, _ := once(as(t, "acme"), "k", "request")
	if _, err := node2.Rule(ctx, fe01); err != nil { // loads the rule set
		t.Fatal(err)
	}
	first, err := w.Classify(ctx, pressureLow)
	if err != nil {
		t.Fatal(err)
	}
	late.blindReads.Store(1)
	ctx, claim := once(as(t, "acme"), "k", "request")
	if again, err := node2.Classify(ctx, pressureLow); err != nil || again != first || !claim.Replayed {
		t.Errorf("%+v, %v, replayed %v, want the other node's answer", again, err, claim.Replayed)
	}
	late.blindReads.Store(1)
	ctx, claim = once(as(t, "acme"), "k", "another request")
	_, err = node2.Classify(ctx, pressureLow)
	wantCode(t, err, firemode.CodeConflict)
	if n := len(w.audits(t, "acme")); n != 1 || claim.Replayed {
		t.Errorf("%d entries in the log, want 1", n)
	}
}

// Each acknowledged classification has exactly one audit entry, in the chain of its own
// organisation. A key is answered once, and an invalid request fails alone.
func TestClassify_Concurrent_OneAuditEntryEach(t *testing.T) {
	t.Parallel()
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
				_, err := w.Classify(ctx, catalogue.Request{Code: fe01})
				if firemode.CodeOf(err) != firemode.CodeInvalid {
					t.Errorf("an invalid request: %v, want CodeInvalid", err)
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

func TestClassify_UnknownOutcome_IsAnError(t *testing.T) {
	t.Parallel()
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

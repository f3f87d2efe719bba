package catalogue_test

import (
	"context"
	"sync/atomic"
	"testing"

	"firemode"
	"firemode/internal/store"
	"firemode/internal/store/storetest"
)

// blind is the real store as a node sees it whose look came just before another node's commit: for its first looks, rules and
// stored answers are not there yet. Its writes meet them.
type blind struct {
	store.Store
	looks atomic.Int64 // how many more are blind
}

func (b *blind) View(ctx context.Context, fn func(store.ReadTx) error) error {
	return b.Store.View(ctx, func(tx store.ReadTx) error {
		return fn(blindReadTx{storetest.ReadWrapper{ReadTx: tx}, blindRules{store.As[store.RuleReader](tx), b}})
	})
}

func (b *blind) Update(ctx context.Context, fn func(store.Tx) error) error {
	return b.Store.Update(ctx, func(tx store.Tx) error {
		rules := blindRules{store.As[store.RuleReader](tx), b}
		return fn(blindTx{storetest.Wrapper{Tx: tx}, rules, store.As[store.ResponseReader](tx)})
	})
}

func (b *blind) look() bool { return b.looks.Add(-1) < 0 }

type blindRules struct {
	store.RuleReader
	b *blind
}

func (r blindRules) Rules(ctx context.Context, org firemode.OrgID) ([]firemode.Rule, error) {
	if !r.b.look() {
		return nil, nil
	}
	return r.RuleReader.Rules(ctx, org)
}

type blindReadTx struct {
	storetest.ReadWrapper
	blindRules
}

type blindTx struct {
	storetest.Wrapper
	blindRules
	store.ResponseReader
}

func (t blindTx) Responses(ctx context.Context, keys []store.StoredResponse) ([]store.StoredResponse, error) {
	if !t.b.look() {
		return nil, nil
	}
	return t.ResponseReader.Responses(ctx, keys)
}

func TestClassifyLosesARace(t *testing.T) {
	w := newWorld(t)
	late := &blind{Store: w.store}
	node2 := newService(t, late, "b")
	ctx, _ := once(as(t, "acme"), "k", "request")
	if _, err := node2.Rule(ctx, fe01); err != nil { // loads the book
		t.Fatal(err)
	}
	first, err := w.Classify(ctx, pressureLow)
	if err != nil {
		t.Fatal(err)
	}
	late.looks.Store(1)
	ctx, claim := once(as(t, "acme"), "k", "request")
	if again, err := node2.Classify(ctx, pressureLow); err != nil || again != first || !claim.Replayed {
		t.Errorf("%+v, %v, replayed %v, want the other node's answer", again, err, claim.Replayed)
	}
	late.looks.Store(1)
	ctx, claim = once(as(t, "acme"), "k", "another request")
	_, err = node2.Classify(ctx, pressureLow)
	wantCode(t, err, firemode.CodeConflict)
	if n := len(w.audits(t, "acme")); n != 1 || claim.Replayed {
		t.Errorf("%d entries in the log, want 1", n)
	}
}

func TestCreateLosesARace(t *testing.T) {
	w := newWorld(t)
	late := &blind{Store: w.store}
	node2 := newService(t, late, "b")
	if _, err := w.Create(as(t, "acme"), rule("1.0.0", firemode.ClassCritical)); err != nil {
		t.Fatal(err)
	}
	late.looks.Store(1)
	if r, err := node2.Create(as(t, "acme"), rule("1.0.0", firemode.ClassCritical)); err != nil || r.Version != "1.0.0" {
		t.Errorf("%+v, %v, want the other node's rule", r, err)
	}
	late.looks.Store(1)
	_, err := node2.Create(as(t, "acme"), rule("1.0.0", firemode.ClassNotTested))
	wantCode(t, err, firemode.CodeConflict)
	if n := len(w.audits(t, "acme")); n != 1 {
		t.Errorf("%d entries in the log, want 1", n)
	}
}

func TestSeedLosesARace(t *testing.T) {
	w := newWorld(t)
	late := &blind{Store: w.store}
	late.looks.Store(1)
	if err := newService(t, late, "b").Seed(t.Context()); err != nil {
		t.Error(err)
	}
	late.looks.Store(2)
	wantCode(t, newService(t, late, "c").Seed(t.Context()), firemode.CodeConflict)
}

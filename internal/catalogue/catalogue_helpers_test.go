package catalogue_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"firemode"
	"firemode/internal/catalogue"
	"firemode/internal/record/ledger"
	"firemode/internal/rules"
	"firemode/internal/store"
	"firemode/internal/store/storetest"
)

const fe01 firemode.RuleCode = "AS1851-2012-FE-01"

// epoch is the time of every transaction in these tests.
var epoch = time.Date(2026, 11, 20, 3, 0, 0, 0, time.UTC)

// world is a seeded service on a store with the organisations acme and other.
type world struct {
	*catalogue.Service
	store store.Store
}

func newWorld(t testing.TB) *world {
	t.Helper()
	s := storetest.OpenSQLiteAt(t, func() time.Time { return epoch })
	err := s.Update(t.Context(), func(tx store.Tx) error {
		for _, org := range []firemode.OrgID{"acme", "other"} {
			o := firemode.Organisation{ID: org, Name: string(org), CreatedAt: tx.Now()}
			if err := store.As[store.OrganisationWriter](tx).CreateOrganisation(t.Context(), o); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := newService(t, s, "seed").Seed(t.Context()); err != nil {
		t.Fatal(err)
	}
	return &world{newService(t, s, "a"), s}
}

// newService returns a node on s, whose audit ids begin with prefix.
func newService(t testing.TB, s store.Store, prefix string) *catalogue.Service {
	t.Helper()
	var n atomic.Int64
	svc, err := catalogue.New(s, catalogue.Config{
		NewID:   func() string { return fmt.Sprintf("%s-%d", prefix, n.Add(1)) },
		OnError: func(err error) { t.Error(err) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(svc.Close)
	return svc
}

// as returns a context in which a user of org works.
func as(t testing.TB, org firemode.OrgID) context.Context {
	return firemode.WithPrincipal(
		t.Context(),
		firemode.Principal{Org: org, User: "u-" + firemode.UserID(org), Role: firemode.RoleAdmin},
	)
}

// once returns ctx with an Idempotency-Key for a request with that fingerprint.
func once(ctx context.Context, key, fingerprint string) (context.Context, *store.Idempotency) {
	claim := &store.Idempotency{Scope: "scope", Key: key, Fingerprint: []byte(fingerprint)}
	return store.WithIdempotency(ctx, claim), claim
}

// rule returns a rule FE-01 that classifies pressure_low as class.
func rule(version string, class firemode.Class) firemode.Rule {
	r := firemode.Rule{
		Code: fe01, Version: version, Name: "Pressure",
		Schema: firemode.RuleSchema{Classifications: map[string]firemode.Class{"pressure_low": class}},
	}
	r.Creation = rules.Fingerprint(r)
	return r
}

// audits returns the audit log of org, oldest first. It fails if the hash chain is broken.
func (w *world) audits(t *testing.T, org firemode.OrgID) []ledger.AuditEntry {
	t.Helper()
	var log []ledger.AuditEntry
	err := w.store.View(t.Context(), func(tx store.ReadTx) error {
		return store.As[store.AuditReader](tx).EachAudit(t.Context(), org, func(e ledger.AuditEntry) error {
			prev := ""
			if len(log) > 0 {
				prev = string(log[len(log)-1].Hash)
			}
			if !e.Sealed() || string(e.Prev) != prev || e.Seq != int64(len(log)+1) {
				t.Errorf("entry %d breaks the chain", e.Seq)
			}
			log = append(log, e)
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return log
}

func wantCode(t *testing.T, err error, want firemode.Code) {
	t.Helper()
	if err == nil || firemode.CodeOf(err) != want {
		t.Errorf("got %v, want code %d", err, want)
	}
}

// details returns those of err.
func details(err error) []firemode.Detail {
	var e *firemode.Error
	if errors.As(err, &e) {
		return e.Details
	}
	return nil
}

// blind is the store as a node sees it that has read just before another node commits: its first
// reads find no rules and no stored responses. Its writes conflict with them.
type blind struct {
	store.Store
	blindReads atomic.Int64 // how many more reads are blind
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

func (b *blind) sees() bool { return b.blindReads.Add(-1) < 0 }

type blindRules struct {
	store.RuleReader
	b *blind
}

func (r blindRules) Rules(ctx context.Context, org firemode.OrgID) ([]firemode.Rule, error) {
	if !r.b.sees() {
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
	if !t.b.sees() {
		return nil, nil
	}
	return t.ResponseReader.Responses(ctx, keys)
}

// Package recordtest gives tests a session with results on a real store.
package recordtest

import (
	"context"
	"crypto/ed25519"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/note"

	"firemode"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/record/merge"
	"firemode/internal/rules"
	"firemode/internal/store"
	"firemode/internal/store/postgres"
	"firemode/internal/store/storetest"
	"firemode/internal/store/storetest/pgtest"
)

// The session of a World.
const (
	Org      firemode.OrgID      = "o"
	Building firemode.BuildingID = "b"
	Session  firemode.SessionID  = "visit"
)

// World is one session on a store, and the merge that its results go through.
type World struct {
	Store    store.Database
	Merge    *merge.Service
	Verifier note.Verifier // of the checkpoints
	t        testing.TB
}

// OnBothEngines runs test on an empty store of each engine, in parallel.
func OnBothEngines(t *testing.T, test func(*testing.T, store.Database)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, storetest.OpenSQLite(t))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		s, err := postgres.Open(t.Context(), postgres.Config{URL: pgtest.New(t)})
		must(t, err)
		t.Cleanup(func() { must(t, s.Close()) })
		test(t, s)
	})
}

// New creates a session on s with items that have a check of rule FE-01 each, and the consequences
// of its merge.
func New(t testing.TB, s store.Database, items []firemode.ItemID, consequences ...merge.Consequences) *World {
	t.Helper()
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	signer, err := ledger.NewSigner(key)
	must(t, err)
	w := &World{Store: s, t: t}
	w.Verifier, err = note.NewVerifier(ledger.PublicKey(key))
	must(t, err)
	w.Merge, err = merge.New(s, merge.Config{Now: time.Now, Rules: Rules{}, Signer: signer, Consequences: consequences})
	must(t, err)
	t.Cleanup(w.Merge.Close)
	must(t, s.Update(t.Context(), func(tx store.Tx) error { return create(t.Context(), tx, items) }))
	return w
}

func create(ctx context.Context, tx store.Tx, ids []firemode.ItemID) error {
	org := firemode.Organisation{ID: Org, Name: "O", CreatedAt: tx.Now()}
	if err := store.As[store.OrganisationWriter](tx).CreateOrganisation(ctx, org); err != nil {
		return err
	}
	building := firemode.Building{
		Org: Org, ID: Building, Name: "B", Address: "A", Status: firemode.BuildingActive, Version: 1,
		CreatedAt: tx.Now(),
	}
	if err := store.As[store.BuildingWriter](tx).CreateBuilding(ctx, building); err != nil {
		return err
	}
	items := make([]firemode.Item, len(ids))
	for i, id := range ids {
		items[i] = firemode.Item{
			ID: id, Name: string(id), Position: i + 1, Listed: true, Kind: firemode.KindAsset,
			State: firemode.ItemUntouched, Checks: []firemode.Check{{Rule: "FE-01", Version: "1.0.0"}},
		}
	}
	session := firemode.Session{
		Org: Org, ID: Session, Building: Building, Name: "S", Frequency: firemode.Yearly,
		Status: firemode.SessionPending, ItemCount: len(items), CheckCount: len(items), Version: 1, CreatedAt: tx.Now(), CreatedBy: "mary",
		Format: firemode.CurrentFormat,
	}
	head := ledger.Head{Epoch: 1, Key: make([]byte, 32), ChangedAt: tx.Now()}
	if err := store.As[store.SessionWriter](tx).CreateSession(ctx, session, head); err != nil {
		return err
	}
	if err := store.As[store.ItemWriter](tx).CreateItems(ctx, Org, Session, items); err != nil {
		return err
	}
	by := firemode.Principal{Org: Org, User: "mary", Role: firemode.RoleManager}
	return store.AppendActions(ctx, tx, by, store.Action{
		ID: firemode.AuditID(NewID()), Name: ledger.ActionCreateSession, Subject: string(Session),
		Data: ledger.CreationOf(session, head.Key, items).Data(),
	})
}

// Rules is the rule set of every organisation: FE-01, with the condition pressure_low.
type Rules struct{}

// RuleSet returns the rules.
func (Rules) RuleSet(context.Context, firemode.OrgID) (*rules.Set, error) {
	return rules.NewSet([]firemode.Rule{{
		Code: "FE-01", Version: "1.0.0",
		Schema: firemode.RuleSchema{Classifications: map[string]firemode.Class{
			"pressure_low": firemode.ClassNonCritical, "discharged": firemode.ClassCritical,
		}},
	}}), nil
}

// As returns a context with a caller of the organisation.
func As(t testing.TB, user firemode.UserID, role firemode.Role) context.Context {
	return firemode.WithPrincipal(t.Context(), firemode.Principal{Org: Org, User: user, Role: role})
}

// Submit merges changes, each as JSON, as the next batch of a client of technician tom.
func (w *World) Submit(client string, number int64, changes ...string) merge.Receipt {
	w.t.Helper()
	raw := make([]jsontext.Value, len(changes))
	for i, c := range changes {
		raw[i] = jsontext.Value(c)
	}
	parsed, err := crdt.ParseChanges(raw)
	must(w.t, err)
	r, _, err := w.Merge.Submit(As(w.t, "tom", firemode.RoleTechnician), merge.Submission{
		Session: Session, Key: NewID(), Changes: parsed,
		Meta: merge.Meta{Client: client, Clock: crdt.Clock{crdt.ActorID(client): number}},
	})
	must(w.t, err)
	return r
}

// NewID returns a new id that sorts by time.
func NewID() string { return uuid.Must(uuid.NewV7()).String() }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Scratch returns an empty store for one verification.
func Scratch(t testing.TB) ScratchStore { return ScratchStore{storetest.OpenSQLite(t)} }

// ScratchStore is a store that the test closes when it ends.
type ScratchStore struct{ store.Store }

// Close does nothing.
func (ScratchStore) Close() error { return nil }

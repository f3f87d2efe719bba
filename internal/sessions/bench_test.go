package sessions_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"

	"firemode"
	"firemode/internal/crdt"
	"firemode/internal/ledger"
	"firemode/internal/rules"
	"firemode/internal/sessions"
	"firemode/internal/store"
	"firemode/internal/store/storetest"
)

// emptyBook is a rulebook without rules: what is measured here is the merge.
type emptyBook struct{}

func (emptyBook) Book(context.Context, firemode.OrgID) (*rules.Book, error) {
	return rules.NewBook(nil), nil
}

func newService(b *testing.B, s store.Store) *sessions.Service {
	b.Helper()
	newID := func() string { return uuid.Must(uuid.NewV7()).String() }
	signer, err := ledger.NewSigner(ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)))
	if err != nil {
		b.Fatal(err)
	}
	service, err := sessions.New(s, sessions.Config{Now: time.Now, NewID: newID, Rand: rand.Reader, Rules: emptyBook{}, Signer: signer})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(service.Close)
	return service
}

// BenchmarkSubmit measures the store's group commit on one hot session: naive clients of 64 users, one change each.
func BenchmarkSubmit(b *testing.B) {
	s := storetest.OpenSQLite(b)
	ctx := context.Background()
	err := s.Update(ctx, func(tx store.Tx) error {
		if err := tx.CreateOrganisation(ctx, firemode.Organisation{ID: "o", Name: "O", CreatedAt: tx.Now()}); err != nil {
			return err
		}
		if err := tx.CreateBuilding(ctx, firemode.Building{Org: "o", ID: "b", Name: "B", Address: "A", Status: firemode.BuildingActive, Version: 1, CreatedAt: tx.Now()}); err != nil {
			return err
		}
		return tx.CreateSession(ctx, firemode.Session{Org: "o", ID: "123", Building: "b", Name: "S", Frequency: firemode.Yearly, Status: firemode.SessionActive, Version: 1, CreatedAt: tx.Now()},
			firemode.Head{Epoch: 1, Key: make([]byte, 32)})
	})
	if err != nil {
		b.Fatal(err)
	}
	service := newService(b, s)
	changes, err := crdt.ParseChanges([]jsontext.Value{jsontext.Value(`{"op":"set","path":"/test","value":1}`)})
	if err != nil {
		b.Fatal(err)
	}
	var n atomic.Int64
	b.SetParallelism(64)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		user := firemode.UserID(fmt.Sprintf("u%d", n.Add(1)%64))
		ctx := firemode.WithPrincipal(ctx, firemode.Principal{Org: "o", User: user, Role: firemode.RoleTechnician})
		for pb.Next() {
			key := fmt.Sprint(n.Add(1))
			if _, _, err := service.Submit(ctx, sessions.Submission{Session: "123", Key: key, Changes: changes}); err != nil {
				b.Error(err)
			}
		}
	})
}

package sqlite

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"firemode"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

func newStore(t testing.TB) *Store {
	t.Helper()
	return openAt(t, filepath.Join(t.TempDir(), "firemode.db"), time.Now)
}

func openAt(t testing.TB, path string, now func() time.Time) *Store {
	t.Helper()
	s, err := Open(t.Context(), Config{Path: path, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func createOrg(ctx context.Context, tx store.Tx, id, name string) error {
	return store.As[store.OrganisationWriter](tx).CreateOrganisation(ctx, firemode.Organisation{
		ID:   firemode.OrgID(id),
		Name: name,
	})
}

func countOrgs(t testing.TB, s *Store) (n int) {
	t.Helper()
	err := s.View(t.Context(), func(tx store.ReadTx) error {
		list, err := store.As[store.OrganisationReader](tx).Organisations(t.Context())
		n = len(list)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// What waits while the writer is busy goes into one commit, and each function has a savepoint of
// its own in it.
func TestUpdatesThatWaitShareACommit(t *testing.T) {
	s := newStore(t)
	const n = 50
	busy, release := make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		if err := s.Update(t.Context(), func(store.Tx) error {
			close(busy)
			<-release
			return nil
		}); err != nil {
			t.Error(err)
		}
	})
	<-busy
	var mu sync.Mutex
	visible := map[int]int{} // how many organisations there were, once each Update was committed
	for i := range n {
		all.Go(func() {
			err := s.Update(t.Context(), func(tx store.Tx) error {
				if err := createOrg(t.Context(), tx, fmt.Sprint(i), ""); err != nil || i%2 == 1 {
					return errors.Join(err, errors.New("one of two fails"))
				}
				return nil
			})
			if (err == nil) != (i%2 == 0) {
				t.Errorf("Update %d: %v", i, err)
			}
			mu.Lock()
			defer mu.Unlock()
			visible[countOrgs(t, s)]++
		})
	}
	for len(s.writer.queue) < n {
		time.Sleep(time.Millisecond) // the queue has no way to say that all have come
	}
	close(release)
	all.Wait()
	if len(visible) != 1 || visible[n/2] != n {
		t.Fatalf("organisations seen after each Update: %v, want all %d at once", visible, n/2)
	}
}

func TestTwoProcessesOnOneFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "firemode.db")
	nodes := []*Store{openAt(t, path, time.Now), openAt(t, path, time.Now)}
	const each = 40
	var all sync.WaitGroup
	for n, s := range nodes {
		all.Go(func() {
			for i := range each {
				if err := s.Update(t.Context(), func(tx store.Tx) error {
					return createOrg(t.Context(), tx, fmt.Sprint(n, "-", i), "")
				}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	for _, s := range nodes {
		if got := countOrgs(t, s); got != 2*each {
			t.Errorf("%d organisations, want %d", got, 2*each)
		}
	}
}

// A View has only the reading methods; what would write past them is refused by SQLite.
func TestReadersCannotWrite(t *testing.T) {
	s := newStore(t)
	err := s.View(t.Context(), func(tx store.ReadTx) error {
		return createOrg(t.Context(), newWriteTx(tx.(readTx).sql.transaction), "a", "")
	})
	if err == nil || countOrgs(t, s) != 0 {
		t.Fatalf("got %v", err)
	}
}

func BenchmarkUpdate(b *testing.B) {
	s := newStore(b)
	b.SetParallelism(64)
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			if err := s.Update(b.Context(), func(tx store.Tx) error {
				seq, _, err := store.As[store.AuditWriter](tx).LockAudit(b.Context(), "o")
				return errors.Join(err, store.AppendAudit(b.Context(), tx, "o",
					ledger.AuditEntry{ID: firemode.AuditID(fmt.Sprint(seq)), Data: []byte("{}")}))
			}); err != nil {
				b.Error(err)
			}
		}
	})
}

func BenchmarkView(b *testing.B) {
	s := newStore(b)
	if err := s.Update(b.Context(), func(tx store.Tx) error {
		return createOrg(b.Context(), tx, "o",
			"O")
	}); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := s.View(b.Context(), func(tx store.ReadTx) error {
			_, err := store.As[store.OrganisationReader](tx).Organisation(b.Context(), "o")
			return err
		}); err != nil {
			b.Fatal(err)
		}
	}
}

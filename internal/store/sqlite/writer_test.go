package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"firemode"
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
	return tx.CreateOrganisation(ctx, firemode.Organisation{ID: firemode.OrgID(id), Name: name})
}

func countOrgs(t testing.TB, s *Store) (n int) {
	t.Helper()
	err := s.View(t.Context(), func(tx store.ReadTx) error {
		list, err := tx.Organisations(t.Context())
		n = len(list)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// What waits while the writer is busy goes into one commit, and each function has a savepoint of its own in it.
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

func TestCommitThatFailsIsUnknownToAll(t *testing.T) {
	s := newStore(t)
	breakCommit := func(tx store.Tx) error {
		c := tx.(*transaction).conn
		if _, err := c.exec(t.Context(), "PRAGMA defer_foreign_keys = 1"); err != nil {
			return err
		}
		_, err := c.exec(t.Context(), "INSERT INTO building_owners VALUES ('o', 'u', 'nowhere', 0)")
		return err
	}
	group := []*update{
		{fn: func(tx store.Tx) error { return createOrg(t.Context(), tx, "a", "") }},
		{fn: func(store.Tx) error { return errors.New("its own") }},
		{fn: breakCommit},
	}
	s.writer.stop() // the test is the writer now
	s.writer.commit(group)
	for _, u := range []*update{group[0], group[2]} {
		if !errors.Is(u.err, store.ErrUnknown) || firemode.CodeOf(u.err) != firemode.CodeUnavailable {
			t.Errorf("got %v", u.err)
		}
	}
	if group[1].err.Error() != "its own" {
		t.Errorf("got %v", group[1].err)
	}
	after := []*update{{fn: func(tx store.Tx) error { return createOrg(t.Context(), tx, "b", "") }}}
	s.writer.commit(after)
	if after[0].err != nil || countOrgs(t, s) != 1 {
		t.Fatalf("the writer did not recover: %v", after[0].err)
	}
	s.writer.conn.close()
	s.writer = startWriter(s.db, s.now) // for Close
}

// When the disk is full SQLite may give up the whole transaction. Whoever is told of success must be there, and nobody else.
func TestFullDisk(t *testing.T) {
	s := newStore(t)
	limit := func(tx store.Tx) error {
		_, err := one(t.Context(), tx.(*transaction), scanInt, "PRAGMA max_page_count = 150")
		return err
	}
	if err := s.Update(t.Context(), limit); err != nil {
		t.Fatal(err)
	}
	const n = 60
	errs := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			errs[i] = s.Update(t.Context(), func(tx store.Tx) error {
				return createOrg(t.Context(), tx, fmt.Sprint(i), strings.Repeat("x", 20_000))
			})
		})
	}
	all.Wait()
	kept := 0
	for _, err := range errs {
		switch {
		case err == nil:
			kept++
		case firemode.CodeOf(err) != firemode.CodeUnavailable:
			t.Errorf("got %v", err)
		}
	}
	if kept == n || countOrgs(t, s) != kept {
		t.Fatalf("%d of %d were told of success, %d are there", kept, n, countOrgs(t, s))
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

func TestUpdateEndsAtItsDeadline(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s := openAt(t, filepath.Join(t.TempDir(), "firemode.db"), func() time.Time { return now })
	err := s.Update(t.Context(), func(tx store.Tx) error {
		if err := createOrg(t.Context(), tx, "a", ""); err != nil {
			return err
		}
		now = now.Add(patience + 1)
		return createOrg(t.Context(), tx, "b", "")
	})
	if firemode.CodeOf(err) != firemode.CodeUnavailable || countOrgs(t, s) != 0 {
		t.Fatalf("got %v", err)
	}
}

func TestTransactionIsOverAfterItsEnd(t *testing.T) {
	s := newStore(t)
	var kept store.Tx
	if err := s.Update(t.Context(), func(tx store.Tx) error {
		kept = tx
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := createOrg(t.Context(), kept, "a", ""); err == nil {
		t.Error("a transaction could be used after its end")
	}
}

func TestFunctionThatEndsItsGoroutine(t *testing.T) {
	s := newStore(t)
	done := make(chan error)
	go func() {
		done <- s.Update(t.Context(), func(store.Tx) error {
			new(testing.T).FailNow() // as a test does
			return nil
		})
	}()
	if err := <-done; err == nil {
		t.Error("no error")
	}
	if err := s.Update(t.Context(), func(tx store.Tx) error { return createOrg(t.Context(), tx, "a", "") }); err != nil {
		t.Error(err)
	}
}

// A View has only the reading methods; what would write past them is refused by SQLite.
func TestReadersCannotWrite(t *testing.T) {
	s := newStore(t)
	err := s.View(t.Context(), func(tx store.ReadTx) error { return createOrg(t.Context(), tx.(store.Tx), "a", "") })
	if err == nil || countOrgs(t, s) != 0 {
		t.Fatalf("got %v", err)
	}
}

func TestFileIsForItsOwnerAlone(t *testing.T) {
	s := newStore(t)
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(s.path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v", suffix, info.Mode())
		}
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	if _, err := Open(t.Context(), Config{}); err == nil {
		t.Error("no path: no error")
	}
	if _, err := Open(t.Context(), Config{Path: filepath.Join(t.TempDir(), "nowhere", "x.db")}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
}

func TestNumber(t *testing.T) {
	for version, want := range map[string]int{"3.51.3": 3051003, "3.9.2": 3009002, "4.0.0": 4000000, "x": 0} {
		if got := number(version); got != want {
			t.Errorf("number(%q) = %d, want %d", version, got, want)
		}
	}
}

func BenchmarkUpdate(b *testing.B) {
	s := newStore(b)
	b.SetParallelism(64)
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			if err := s.Update(b.Context(), func(tx store.Tx) error {
				seq, _, err := tx.LockAudit(b.Context(), "o")
				return errors.Join(err, store.AppendAudit(b.Context(), tx, "o", firemode.AuditEntry{ID: firemode.AuditID(fmt.Sprint(seq)), Data: []byte("{}")}))
			}); err != nil {
				b.Error(err)
			}
		}
	})
}

func BenchmarkView(b *testing.B) {
	s := newStore(b)
	if err := s.Update(b.Context(), func(tx store.Tx) error { return createOrg(b.Context(), tx, "o", "O") }); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := s.View(b.Context(), func(tx store.ReadTx) error {
			_, err := tx.Organisation(b.Context(), "o")
			return err
		}); err != nil {
			b.Fatal(err)
		}
	}
}

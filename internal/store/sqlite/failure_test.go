package sqlite

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/trace/noop"

	"firemode"
	"firemode/internal/store"
	"firemode/internal/store/row"
)

func TestCommitThatFailsIsUnknownToAll(t *testing.T) {
	s := newStore(t)
	breakCommit := func(tx store.Tx) error {
		c := tx.(writeTx).sql.conn
		if _, err := c.exec(t.Context(), "PRAGMA defer_foreign_keys = 1"); err != nil {
			return err
		}
		_, err := c.exec(t.Context(), "INSERT INTO building_owners VALUES ('o', 'u', 'nowhere', 0)")
		return err
	}
	group := []*update{
		newUpdate(t.Context(), func(tx store.Tx) error { return createOrg(t.Context(), tx, "a", "") }),
		newUpdate(t.Context(), func(store.Tx) error { return errors.New("its own") }),
		newUpdate(t.Context(), breakCommit),
	}
	s.writer.stop() // the test is the writer now
	s.writer.commit(group)
	for _, u := range []*update{group[0], group[2]} {
		if !errors.Is(u.err, store.ErrOutcomeUnknown) || firemode.CodeOf(u.err) != firemode.CodeUnavailable {
			t.Errorf("got %v", u.err)
		}
	}
	if group[1].err.Error() != "its own" {
		t.Errorf("got %v", group[1].err)
	}
	after := []*update{newUpdate(t.Context(), func(tx store.Tx) error { return createOrg(t.Context(), tx, "b", "") })}
	s.writer.commit(after)
	if after[0].err != nil || countOrgs(t, s) != 1 {
		t.Fatalf("the writer did not recover: %v", after[0].err)
	}
	s.writer.conn.close()
	s.writer = startWriter(s.db, Config{Now: s.now, Committed: func(int) {}}, s.readers, noop.Tracer{}) // for Close
}

// When the disk is full SQLite may give up the whole transaction. Whoever is told of success must
// be there, and nobody else.
func TestFullDisk(t *testing.T) {
	s := newStore(t)
	limit := func(tx store.Tx) error {
		_, err := row.One(t.Context(), tx.(writeTx).sql, row.Int, "PRAGMA max_page_count = 150")
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

func TestUpdateEndsAtItsDeadline(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s := openAt(t, filepath.Join(t.TempDir(), "firemode.db"), func() time.Time { return now })
	err := s.Update(t.Context(), func(tx store.Tx) error {
		if err := createOrg(t.Context(), tx, "a", ""); err != nil {
			return err
		}
		now = now.Add(updateTimeout + 1)
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
	if err := s.Update(t.Context(), func(tx store.Tx) error {
		return createOrg(t.Context(), tx, "a",
			"")
	}); err != nil {
		t.Error(err)
	}
}

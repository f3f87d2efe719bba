package sqlite

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"firemode/internal/store"
	"firemode/internal/store/row"
)

// ticking is a clock on which every look is a checkpoint later, while it goes.
type ticking struct {
	stands atomic.Bool
	looks  atomic.Int64
}

func (c *ticking) now() time.Time {
	if c.stands.Load() {
		return time.Unix(0, 0).Add(time.Duration(c.looks.Load()) * checkpointEvery)
	}
	return time.Unix(0, 0).Add(time.Duration(c.looks.Add(1)) * checkpointEvery)
}

func write(t *testing.T, s *Store, from, n int) {
	t.Helper()
	for i := range n {
		id := fmt.Sprintf("org-%d", from+i)
		if err := s.Update(t.Context(), func(tx store.Tx) error {
			return createOrg(t.Context(), tx, id,
				"")
		}); err != nil {
			t.Fatal(err)
		}
	}
}

func stamp(t *testing.T, s *Store) {
	t.Helper()
	err := s.Update(t.Context(), func(tx store.Tx) error {
		return row.Exec(t.Context(), tx.(writeTx).sql, "INSERT INTO rule_stamps (org, stamp) VALUES ('o', "+
			"1) ON CONFLICT (org) DO UPDATE SET stamp = stamp + 1")
	})
	if err != nil {
		t.Fatal(err)
	}
}

func content(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// settled waits until the writer has done what follows its last group.
func settled(t *testing.T, s *Store) {
	t.Helper()
	if err := s.Update(t.Context(), func(store.Tx) error { return nil }); err != nil {
		t.Fatal(err)
	}
}

// The log is moved into the file as it grows, so that it stays small.
func TestTheLogStaysSmall(t *testing.T) {
	path := filepath.Join(t.TempDir(), "firemode.db")
	s := openAt(t, path, new(ticking).now)
	write(t, s, 0, 20)
	before := len(content(t, path+"-wal"))
	write(t, s, 20, 1000)
	if after := len(content(t, path+"-wal")); after > before+64<<10 {
		t.Errorf("the log has %d bytes after 1 000 more commits, and had %d", after, before)
	}
}

// While a View runs nothing is moved, not even the part that it does not need: a part that was not
// synced would be lost with a sync that fails. When it has ended, everything is.
func TestACheckpointIsWholeOrNone(t *testing.T) {
	path, clock := filepath.Join(t.TempDir(), "firemode.db"), &ticking{}
	s := openAt(t, path, clock.now)
	settled(t, s)
	settled(t, s) // the checkpoint after the first is done
	clock.stands.Store(true)
	write(t, s, 0, 3)
	before := content(t, path)
	err := s.View(t.Context(), func(tx store.ReadTx) error {
		if _,
			err := store.As[store.OrganisationReader](tx).Organisations(context.WithoutCancel(t.Context())); err != nil {
			return err
		}
		clock.stands.Store(false)
		for range 5 { // on other pages: one that has changed again is not part of what could be moved
			stamp(t, s)
		}
		settled(t, s)
		if !bytes.Equal(content(t, path), before) {
			t.Error("something was moved into the file while a View ran")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	settled(t, s)
	settled(t, s)
	if bytes.Equal(content(t, path), before) {
		t.Error("nothing was moved into the file when the View had ended")
	}
	if got := countOrgs(t, s); got != 3 {
		t.Errorf("%d organisations, want 3", got)
	}
}

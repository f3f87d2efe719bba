package sqlite

import (
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"firemode/internal/store"
)

// What waits for the writer is its queue, and how much shared a commit is told.
func TestTheWriterTellsOfItsQueueAndGroups(t *testing.T) {
	var groups []int
	committed := func(n int) { groups = append(groups, n) } // the writer's goroutine alone calls it
	s, err := Open(t.Context(), Config{Path: filepath.Join(t.TempDir(), "firemode.db"), Committed: committed})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	const n = 5
	busy, release := make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	update := func(fn func(store.Tx) error) {
		all.Go(func() {
			if err := s.Update(t.Context(), fn); err != nil {
				t.Error(err)
			}
		})
	}
	update(func(store.Tx) error { close(busy); <-release; return nil })
	<-busy
	for range n - 1 {
		update(func(store.Tx) error { return nil })
	}
	all.Go(func() { // it is in the group, and not in the commit
		if err := s.Update(t.Context(), func(store.Tx) error { return errClosed() }); err == nil {
			t.Error("an Update did not fail")
		}
	})
	depth := func() int { return s.Stats().Queues[0].Depth }
	for depth() < n {
		time.Sleep(time.Millisecond) // the queue has no way to say that all have come
	}
	if w := s.Stats().Pools[0]; w.Name != "writer" || w.InUse != 1 || w.Max != 1 || w.Waits != 0 {
		t.Errorf("while it is busy: %+v", w)
	}
	close(release)
	all.Wait()
	stats := s.Stats()
	if w := stats.Pools[0]; stats.Queues[0].Depth != 0 || w.InUse != 0 || w.Idle != 1 || w.Waits != n || w.Waited <= 0 {
		t.Errorf("at the end: %+v", stats)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if want := []int{1, n - 1}; !slices.Equal(groups, want) {
		t.Errorf("groups of %v, want %v", groups, want)
	}
}

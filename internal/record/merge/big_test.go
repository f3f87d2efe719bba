package merge_test

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/record/view"
	"firemode/internal/store"
)

// TestBig has a session of a hundred thousand and one of a million operations, a tenth of them in
// dispute, and holds that reading, following, looking back and verifying take work in proportion
// and memory that does not grow with it. It takes many minutes.
func TestBig(t *testing.T) {
	if os.Getenv("FIREMODE_BIG") == "" {
		t.Skip("many minutes; make big runs it")
	}
	// Multiples of eleven: of eleven operations ten are at a path of their own.
	const small, large = 110_000, 1_100_000
	// Each operation is found in a tree: ten times as many take 12 times the work by that alone.
	// The rest is noise.
	const worst = 14
	for _, engine := range []struct {
		name string
		open func(testing.TB, func() time.Time) store.Database
	}{{"sqlite", openScratch}, {"postgres", openPostgres}} {
		t.Run(engine.name, func(t *testing.T) {
			costs := map[int]map[string]cost{}
			for _, n := range []int{small, large} {
				costs[n] = bigCosts(t, engine.open, n)
			}
			for _, what := range []string{"read", "past", "follow", "verify"} {
				a, b := costs[small][what], costs[large][what]
				ratio := b.cpu.Seconds() / a.cpu.Seconds()
				t.Logf(
					"%s: ten times the operations take %.1f times the work, and %.1f MiB of heap beside %.1f",
					what,
					ratio,
					b.mib(),
					a.mib(),
				)
				if ratio > worst {
					t.Errorf("%s is not in proportion: %s for %d, %s for %d", what, a.cpu, small, b.cpu, large)
				}
				if b.heap > 2*a.heap+(16<<20) {
					t.Errorf(
						"%s takes memory that grows with the session: %.1f MiB for %d, %.1f MiB for %d",
						what,
						a.mib(),
						small,
						b.mib(),
						large,
					)
				}
			}
		})
	}
}

// cost is what a piece of work took, and how far the live heap grew meanwhile. The work is that of
// this process: of SQLite all of it, of PostgreSQL our side.
type cost struct {
	took, cpu time.Duration
	heap      uint64
}

// work is the processor time of this process.
func work() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func (c cost) mib() float64 { return float64(c.heap) / (1 << 20) }

func bigCosts(t *testing.T, open func(testing.TB, func() time.Time) store.Database, n int) map[string]cost {
	w := newBench(t, open)
	start := time.Now()
	w.fillBig(t, n)
	t.Logf("%d operations written in %s", n, time.Since(start).Round(time.Second))
	costs := map[string]cost{}
	note := func(what string, do func()) {
		c := costOf(do)
		costs[what] = c
		t.Logf(
			"%d operations: %s took %s, of work %s, and %.1f MiB",
			n,
			what,
			c.took.Round(time.Millisecond),
			c.cpu.Round(time.Millisecond),
			c.mib(),
		)
	}
	tenth := n / 11
	var first view.Cursor
	read := func(q view.Query) *tally {
		q.Session = w.ref.Session
		s := &tally{}
		must(t, w.service.Results(w.as(t, "reader"), q, s))
		return s
	}
	note("read", func() {
		if s := read(view.Query{}); s.leaves != 10*tenth || s.conflicts != tenth {
			t.Errorf("%d leaves and %d conflicts of %d", s.leaves, s.conflicts, n)
		}
	})
	note("past", func() {
		s := read(view.Query{AtSeq: 2})
		first = s.cursor
		if s.leaves == 0 {
			t.Error("nothing there in the beginning")
		}
	})
	note("follow", func() {
		leaves := 0
		for cursor := first; ; {
			s := read(view.Query{Since: &cursor, Limit: 10_000})
			leaves, cursor = leaves+s.leaves, s.cursor
			if s.complete {
				break
			}
		}
		if leaves < 9*tenth {
			t.Errorf("%d leaves followed of %d", leaves, n)
		}
	})
	note("history", func() {
		rows, err := w.service.views.History(w.as(t, "reader"), w.ref.Session, "/items", store.Page{Limit: 100})
		must(t, err)
		if len(rows) != 100 {
			t.Errorf("%d rows of history", len(rows))
		}
	})
	note("verify", func() {
		must(
			t,
			w.service.verify(t.Context(), w.ref, openScratch(t, time.Now), func(where, what string) { t.Error(where, what) }),
		)
	})
	return costs
}

// fillBig writes n readings of items, of which a tenth is written by two who do not know of each
// other.
func (w *bench) fillBig(t testing.TB, n int) {
	const each = 5000 // of ann's in a batch
	for number := int64(1); n > 0; number++ {
		part := min(n, each*11/10)
		var format strings.Builder
		fmt.Fprintf(
			&format,
			`{"op":"set","path":"/items/I%d-%%[1]d/measurements/pressure","value":%%[1]d.50,"instrument":{"id":"G-17"}}`,
			number,
		)
		changes := raised(t, format.String(), part*10/11)
		w.counted(t, "ann", number, changes)
		w.counted(t, "bob", number, raised(t, strings.Replace(format.String(), ".50", ".75", 1), part-len(changes)))
		n -= part
	}
}

// tally is a Sink that counts.
type tally struct {
	leaves, conflicts int
	cursor            view.Cursor
	complete          bool
}

func (s *tally) Begin(v view.Header) error {
	s.cursor, s.complete = v.Cursor, v.Complete
	return nil
}
func (s *tally) Leaf(crdt.Reading) error        { s.leaves++; return nil }
func (s *tally) Conflict(ledger.Conflict) error { s.conflicts++; return nil }
func (s *tally) Removed(crdt.Pointer) error     { return nil }
func (s *tally) Late(ledger.Entry) error        { return nil }

// costOf measures work. The heap is looked at often, with a collector that keeps close to what
// lives.
func costOf(do func()) cost {
	defer debug.SetGCPercent(debug.SetGCPercent(10))
	base := heap()
	done := make(chan struct{})
	var peak uint64
	var watch sync.WaitGroup
	watch.Go(func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				peak = max(peak, m.HeapAlloc)
			}
		}
	})
	start, worked := time.Now(), work()
	do()
	took, cpu := time.Since(start), work()-worked
	close(done)
	watch.Wait()
	return cost{took, cpu, max(peak, base) - base}
}

package merge_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"firemode"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/record/merge"
	"firemode/internal/record/view"
	"firemode/internal/store"
	"firemode/internal/store/storetest"
)

func openDurable(t testing.TB, now func() time.Time) store.Database {
	return storetest.OpenSQLiteAt(t, now)
}

// bench is a world with one session.
type bench struct {
	*world
	ref     ledger.SessionRef
	service *record
	n       atomic.Int64
}

func newBench(b testing.TB, open func(testing.TB, func() time.Time) store.Database) *bench {
	b.Helper()
	w := newWorld(b, open)
	ref, err := w.newSession(b.Context(), "X", "Y")
	must(b, err)
	service, err := w.newService()
	must(b, err)
	b.Cleanup(service.Close)
	return &bench{world: w, ref: ref, service: service}
}

// submit posts changes for a client that does not count.
func (w *bench) submit(b *testing.B, user firemode.UserID, changes []crdt.Change) {
	ctx := firemode.WithPrincipal(
		b.Context(),
		firemode.Principal{Org: w.ref.Org, User: user, Role: firemode.RoleTechnician},
	)
	in := merge.Submission{Session: w.ref.Session, Key: fmt.Sprint(w.n.Add(1)), Changes: changes}
	if _, _, err := w.service.Submit(ctx, in); err != nil {
		b.Error(err)
	}
}

func sets(b testing.TB, paths ...string) []crdt.Change {
	b.Helper()
	raw := make([]jsontext.Value, len(paths))
	for i, path := range paths {
		raw[i] = jsontext.Value(fmt.Sprintf(`{"op":"set","path":%q,"value":%d}`, path, i%7))
	}
	changes, err := crdt.ParseChanges(raw)
	must(b, err)
	return changes
}

// BenchmarkSubmit measures the store's group commit on one hot session: naive clients of 64 users,
// one change each.
func BenchmarkSubmit(b *testing.B) {
	w := newBench(b, openDurable)
	changes := sets(b, "/test")
	b.SetParallelism(64)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		user := firemode.UserID(fmt.Sprintf("u%d", w.n.Add(1)%64))
		for pb.Next() {
			w.submit(b, user, changes)
		}
	})
}

// BenchmarkLive measures a batch of one change by how much is live elsewhere: in the session, in
// its own item, in another.
func BenchmarkLive(b *testing.B) {
	for _, engine := range []struct {
		name string
		open func(testing.TB, func() time.Time) store.Database
	}{{"sqlite", openDurable}, {"postgres", openPostgres}} {
		for _, c := range []struct {
			name string
			path string // of reading i of n
			n    int
		}{
			{"session", "/items/I%d/note", 100},
			{"session", "/items/I%d/note", 100_000},
			{"own_item", "/items/X/measurements/m%d", 1},
			{"own_item", "/items/X/measurements/m%d", 1000},
			{"other_item", "/items/Y/measurements/m%d", 1},
			{"other_item", "/items/Y/measurements/m%d", 1000},
		} {
			b.Run(fmt.Sprintf("%s/%s=%d", engine.name, c.name, c.n), func(b *testing.B) {
				w := newBench(b, engine.open)
				w.fill(b, c.path, c.n)
				change := sets(b, "/items/X/note")
				for b.Loop() {
					w.submit(b, "ann", change)
				}
			})
		}
	}
}

// fill posts n readings, a thousand in a batch.
func (w *bench) fill(b *testing.B, path string, n int) {
	for at := 0; at < n; at += 1000 {
		paths := make([]string, min(1000, n-at))
		for i := range paths {
			paths[i] = fmt.Sprintf(path, at+i)
		}
		w.submit(b, "bob", sets(b, paths...))
	}
}

// BenchmarkVerify measures computing a session anew from its log.
func BenchmarkVerify(b *testing.B) {
	for _, entries := range []int{1000, 10_000} {
		b.Run(fmt.Sprintf("entries=%d", entries), func(b *testing.B) {
			w := newBench(b, openScratch)
			for i := range entries {
				w.submit(b, "ann", sets(b, fmt.Sprintf("/items/I%d/note", i%300)))
			}
			for b.Loop() {
				scratch := openScratch(b, time.Now)
				must(b, w.service.verify(b.Context(), w.ref, scratch, func(where, what string) { b.Error(where, what) }))
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*entries), "µs/entry")
		})
	}
}

// BenchmarkDocument measures reading a document of which every path is in dispute: the time for
// each, and the memory made meanwhile.
func BenchmarkDocument(b *testing.B) {
	for _, n := range []int{1000, 10_000} {
		b.Run(fmt.Sprintf("conflicts=%d", n), func(b *testing.B) {
			w := newBench(b, openScratch)
			w.dispute(b, n)
			b.ReportAllocs()
			for b.Loop() {
				s := &tally{}
				must(b, w.service.Results(w.as(b, "reader"), view.Query{Session: w.ref.Session}, s))
				if s.conflicts != n {
					b.Fatalf("%d conflicts of %d", s.conflicts, n)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*n), "µs/conflict")
		})
	}
}

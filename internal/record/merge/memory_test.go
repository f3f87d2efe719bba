package merge_test

import (
	"context"
	"fmt"
	"runtime"
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
	"firemode/internal/visits"
	"firemode/test/race"
)

// gauge is a Sink that keeps nothing and notes how far the heap grows meanwhile.
type gauge struct {
	base, peak                        uint64
	leaves, conflicts, removed, lates int
	calls                             int
	last                              view.Cursor
	complete                          bool
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func newGauge() *gauge {
	runtime.GC()
	return &gauge{base: heap()}
}

// look measures now and then: a collection takes its time.
func (g *gauge) look() error {
	if g.calls++; g.calls%1000 == 1 {
		if now := heap(); now > g.base {
			g.peak = max(g.peak, now-g.base)
		}
	}
	return nil
}

func (g *gauge) Begin(v view.Header) error {
	g.last, g.complete = v.Cursor, v.Complete
	return g.look()
}
func (g *gauge) Leaf(crdt.Reading) error        { g.leaves++; return g.look() }
func (g *gauge) Conflict(ledger.Conflict) error { g.conflicts++; return g.look() }
func (g *gauge) Removed(crdt.Pointer) error     { g.removed++; return g.look() }

func (g *gauge) Late(ledger.Entry) error {
	g.lates++
	g.calls = 0 // each is large
	return g.look()
}

// counted posts changes for a client that counts for itself.
func (w *bench) counted(t testing.TB, user firemode.UserID, number int64, changes []crdt.Change) {
	t.Helper()
	ctx := w.as(t, user)
	in := merge.Submission{Session: w.ref.Session, Key: fmt.Sprint("counted ", w.n.Add(1)), Changes: changes}
	in.Meta = merge.Meta{Client: string(user), Clock: crdt.Clock{crdt.ActorID(user): number}}
	_, _, err := w.service.Submit(ctx, in)
	must(t, err)
}

func (w *bench) as(t testing.TB, user firemode.UserID) context.Context {
	return firemode.WithPrincipal(
		t.Context(),
		firemode.Principal{Org: w.ref.Org, User: user, Role: firemode.RoleTechnician},
	)
}

// measure asks for a document and returns what came and how far the heap grew.
func (w *bench) measure(t testing.TB, q view.Query) *gauge {
	t.Helper()
	q.Session = w.ref.Session
	g := newGauge()
	must(t, w.service.Results(w.as(t, "reader"), q, g))
	return g
}

// raised is changes of one kind at n paths.
func raised(t testing.TB, format string, n int) []crdt.Change {
	t.Helper()
	raw := make([]jsontext.Value, n)
	for i := range raw {
		raw[i] = jsontext.Value(fmt.Sprintf(format, i))
	}
	changes, err := crdt.ParseChanges(raw)
	must(t, err)
	return changes
}

// TestMemory_LargeDocuments_Bounded reads documents of one size and of ten times that: in neither
// may the heap grow by the size of the document. It does not run in parallel with other tests,
// whose heap it would count.
func TestMemory_LargeDocuments_Bounded(t *testing.T) {
	if race.Enabled {
		t.Skip("the heap is measured in the pass without the race detector")
	}
	const small, large = 400, 4000
	for _, engine := range []struct {
		name string
		open func(testing.TB, func() time.Time) store.Database
	}{{"sqlite", openScratch}, {"postgres", openPostgres}} {
		for _, c := range []struct {
			name string
			read func(*testing.T, *bench, int) *gauge
		}{
			{"many conflicts", manyConflicts},
			{"many conflicts of the past", manyPastConflicts},
			{"everything below one value", belowOneValue},
			{"everything below one removal", belowOneRemoval},
			{"a change below one value", changeBelowOneValue},
			{"many late batches", manyLate},
			{"reopening after many late batches", reopenManyLate},
		} {
			t.Run(engine.name+"/"+c.name, func(t *testing.T) {
				peaks := map[int]uint64{}
				for _, n := range []int{small, large} {
					g := c.read(t, newBench(t, engine.open), n)
					peaks[n] = g.peak
				}
				t.Logf("the heap grew by %d KiB for %d and by %d KiB for %d", peaks[small]>>10, small, peaks[large]>>10, large)
				const slack = 2 << 20
				if peaks[large] > 2*peaks[small]+slack {
					t.Errorf("the heap grew by %d KiB for %d and by %d KiB for %d", peaks[small]>>10, small, peaks[large]>>10, large)
				}
			})
		}
	}
}

// dispute has two clients write at n paths without knowing of each other.
func (w *bench) dispute(t testing.TB, n int) {
	for at := 0; at < n; at += 5000 {
		part := min(5000, n-at)
		w.counted(
			t,
			"ann",
			int64(at/5000+1),
			raised(
				t,
				fmt.Sprintf(`{"op":"set","path":"/d/%d-%%d/reading","value":"a reading of some length, by ann"}`, at),
				part,
			),
		)
		w.counted(
			t,
			"bob",
			int64(at/5000+1),
			raised(
				t,
				fmt.Sprintf(`{"op":"set","path":"/d/%d-%%d/reading","value":"a reading of some length, by bob"}`, at),
				part,
			),
		)
	}
}

func manyConflicts(t *testing.T, w *bench, n int) *gauge {
	w.dispute(t, n)
	g := w.measure(t, view.Query{})
	if g.leaves != n || g.conflicts != n {
		t.Errorf("%d leaves and %d conflicts of %d", g.leaves, g.conflicts, n)
	}
	return g
}

func manyPastConflicts(t *testing.T, w *bench, n int) *gauge {
	w.dispute(t, n)
	w.counted(t, "eve", 1, raised(t, `{"op":"set","path":"/later/%d","value":1}`, 1))
	g := w.measure(t, view.Query{AtSeq: int64(2 * ((n + 4999) / 5000))})
	if g.leaves != n || g.conflicts != n {
		t.Errorf("%d leaves and %d conflicts of %d", g.leaves, g.conflicts, n)
	}
	return g
}

// fillBelow writes n readings below /d, after what first says about it.
func (w *bench) fillBelow(t testing.TB, first string, n int) {
	w.counted(t, "ann", 1, raised(t, first, 1)) // %d is no part of it
	for at := 0; at < n; at += 5000 {
		w.counted(
			t,
			"ann",
			int64(at/5000+2),
			raised(
				t,
				fmt.Sprintf(`{"op":"set","path":"/d/%d-%%d","value":"a reading of some length, and below something else"}`, at),
				min(5000, n-at),
			),
		)
	}
}

func belowOneValue(t *testing.T, w *bench, n int) *gauge {
	w.fillBelow(t, `{"op":"set","path":"/d","value":"all good %d"}`, n)
	return wantLeaves(t, w.measure(t, view.Query{}), n)
}

func belowOneRemoval(t *testing.T, w *bench, n int) *gauge {
	w.fillBelow(t, `{"op":"remove","path":"/d","reason":"%d"}`, n)
	return wantLeaves(t, w.measure(t, view.Query{}), n)
}

func changeBelowOneValue(t *testing.T, w *bench, n int) *gauge {
	w.fillBelow(t, `{"op":"set","path":"/d","value":"all good %d"}`, n)
	before := w.measure(t, view.Query{}).last
	w.counted(t, "bob", 1, raised(t, `{"op":"set","path":"/d/0-%d","value":"newer"}`, 1))
	return wantLeaves(t, w.measure(t, view.Query{Since: &before}), n)
}

func wantLeaves(t *testing.T, g *gauge, n int) *gauge {
	t.Helper()
	if g.leaves != n {
		t.Errorf("%d leaves of %d", g.leaves, n)
	}
	return g
}

// manyLate completes the session before n/50 batches of 300 KiB come.
func manyLate(t *testing.T, w *bench, n int) *gauge {
	must(t, w.store.Update(t.Context(), func(tx store.Tx) error {
		locked, err := store.As[store.SessionWriter](
			tx,
		).LockSessions(t.Context(), w.ref.Org, []firemode.SessionID{w.ref.Session})
		if err != nil {
			return err
		}
		session := locked[0].Session
		session.Status = firemode.SessionCompleted
		return store.As[store.SessionWriter](tx).UpdateSession(t.Context(), session)
	}))
	text := make([]byte, 60<<10)
	for i := range text {
		text[i] = byte('a' + i%26)
	}
	for i := range n / 50 {
		w.counted(t, "ann", int64(i+1), raised(t, `{"op":"set","path":"/late/%d","value":"`+string(text)+`"}`, 5))
	}
	g := w.measure(t, view.Query{})
	if g.lates != n/50 {
		t.Errorf("%d late batches of %d", g.lates, n/50)
	}
	return g
}

// reopenManyLate measures while what is late becomes part of the document.
func reopenManyLate(t *testing.T, w *bench, n int) *gauge {
	manyLate(t, w, n+1000) // so that few are more than is merged at a time
	g := newGauge()
	w.store = gauged{w.store, g}
	service, err := w.newService()
	must(t, err)
	defer service.Close()
	status := firemode.SessionReopened
	_, err = service.Patch(
		firemode.WithPrincipal(t.Context(), firemode.Principal{Org: w.ref.Org, User: "boss", Role: firemode.RoleManager}),
		w.ref.Session,
		"*",
		visits.Patch{Status: &status, Reason: "more came"},
	)
	must(t, err)
	if after := w.measure(t, view.Query{}); after.lates != 0 || after.leaves != 5 {
		t.Errorf("%d batches are late and %d readings shown, want none and 5", after.lates, after.leaves)
	}
	return g
}

// gauged is a store that has the heap measured whenever operations are about to be written.
type gauged struct {
	store.Database
	g *gauge
}

func (s gauged) Update(ctx context.Context, fn func(store.Tx) error) error {
	return s.Database.Update(ctx, func(tx store.Tx) error {
		return fn(gaugedTx{storetest.Wrapper{Tx: tx}, store.As[store.OpWriter](tx), s.g})
	})
}

type gaugedTx struct {
	storetest.Wrapper
	store.OpWriter
	g *gauge
}

func (tx gaugedTx) InsertOps(ctx context.Context, ref ledger.SessionRef, ops []ledger.Op) error {
	tx.g.calls = 0
	if err := tx.g.look(); err != nil {
		return err
	}
	return tx.OpWriter.InsertOps(ctx, ref, ops)
}

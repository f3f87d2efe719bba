package merge_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"firemode/internal/record/crdt"
	"firemode/internal/record/merge"
	"firemode/internal/store"
)

// engines are the databases that every history is played on.
var engines = []struct {
	name string
	open func(testing.TB, func() time.Time) store.Database
}{{"sqlite", openScratch}, {"postgres", openPostgres}}

// Whatever clients do, what is stored and shown after each request is what the oracle makes of the
// log, and what each client was answered follows from what it had been shown. A failure names the
// seed with which -rapid.seed plays it again.
func TestHistories(t *testing.T) {
	for _, engine := range engines {
		t.Run(engine.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, engine.open)
			rapid.Check(t, w.playOne)
		})
	}
}

// FuzzHistories is TestHistories on SQLite, led by coverage.
func FuzzHistories(f *testing.F) {
	w := newWorld(f, openScratch)
	f.Fuzz(rapid.MakeFuzz(w.playOne))
}

func (w *world) playOne(t *rapid.T) {
	p, err := w.newPlay(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := p.run(scripts.Draw(t, "script")); err != nil {
		t.Fatal(err)
	}
}

// A phone that does not count and its manager may submit the same within one group: both are told
// that it was merged.
func TestSubmittedTwiceInOneGroup(t *testing.T) {
	w := newWorld(t, openScratch)
	p, err := w.newPlay(t.Context())
	must(t, err)
	own := p.phones[3].post(
		draft{clock: crdt.Clock{}, changes: []change{{{"op", "set"}, {"path", "/x"}, {"value", 1}}}},
		"key",
		false,
	)
	managers := own.onBehalf(p.boss())
	answers := p.service.Together(p.ctx, []merge.Post{own.Post, managers.Post})
	must(t, p.check([]exchange{{own, answers[0]}, {managers, answers[1]}}))
}

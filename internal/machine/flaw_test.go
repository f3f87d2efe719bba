package machine

import (
	"context"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"firemode/internal/crdt"
	"firemode/internal/store"
)

// The flaws are servers that are broken in one way each, by a transaction that does not do what it is told.
type (
	forgetsAnswers    struct{ store.Tx }
	deliversOnPost    struct{ store.Tx }
	forgetsDeliveries struct{ store.Tx }
	losesAnOperation  struct{ store.Tx }
	supersedesNothing struct{ store.Tx }
	losesABatch       struct{ store.Tx }
	losesCopies       struct{ store.Tx }
	leavesLateOnes    struct{ store.Tx }
	overlooksGaps     struct{ store.Tx }
)

func (forgetsAnswers) SaveAnswers(context.Context, []store.Answer) error { return nil }

// SaveActors takes what a client has posted for a proof that it was given everything up to there.
func (f deliversOnPost) SaveActors(ctx context.Context, s store.SessionRef, actors []store.Actor) error {
	if err := f.Tx.SaveActors(ctx, s, actors); err != nil {
		return err
	}
	for _, a := range actors {
		if err := f.Deliver(ctx, s, a.ID, max(a.RunSeq, a.Delivered)); err != nil {
			return err
		}
	}
	return nil
}

func (forgetsDeliveries) Deliver(context.Context, store.SessionRef, crdt.ActorID, int64) error {
	return nil
}

func (f losesAnOperation) InsertOps(ctx context.Context, s store.SessionRef, ops []store.Op) error {
	return f.Tx.InsertOps(ctx, s, ops[:max(0, len(ops)-1)])
}

func (supersedesNothing) UpdateOps(context.Context, store.SessionRef, []store.OpChange) error {
	return nil
}

// InsertBatches keeps that something was posted, and not what.
func (f losesABatch) InsertBatches(ctx context.Context, s store.SessionRef, batches []store.Batch) error {
	for i := range batches {
		batches[i].Changes, batches[i].Outcomes = []byte("[]"), nil
	}
	return f.Tx.InsertBatches(ctx, s, batches)
}

func (losesCopies) InsertQuarantined(context.Context, store.SessionRef, store.Quarantined) error {
	return nil
}

func (leavesLateOnes) MarkMerged(context.Context, store.SessionRef, []int64, int64) error {
	return nil
}

// Actors never miss anything.
func (f overlooksGaps) SaveActors(ctx context.Context, s store.SessionRef, actors []store.Actor) error {
	for i := range actors {
		if n := actors[i].Held.Max(); n > 0 {
			actors[i].Held = crdt.Ranges{{1, n}}
		}
	}
	return f.Tx.SaveActors(ctx, s, actors)
}

// A machine that finds nothing is worth something only if it finds what is there.
func TestMachineCatchesFlaws(t *testing.T) {
	t.Parallel()
	c := &clock{at: start}
	s := newSite(t.Context(), t, newSQLite(t), c.now)
	number := 0
	for _, broken := range []struct {
		name     string
		flaw     func(store.Tx) store.Tx
		unmarked bool
		caught   string // by which invariant
		script   int    // the first that does, to save time
	}{
		{"answers are not stored", func(tx store.Tx) store.Tx { return forgetsAnswers{tx} }, false, "I5", 0},
		{"a POST delivers", func(tx store.Tx) store.Tx { return deliversOnPost{tx} }, false, "I6", 12},
		{"what was delivered is forgotten", func(tx store.Tx) store.Tx { return forgetsDeliveries{tx} }, false, "I6", 0},
		{"an operation is lost", func(tx store.Tx) store.Tx { return losesAnOperation{tx} }, false, "I2", 0},
		{"what is superseded stays", func(tx store.Tx) store.Tx { return supersedesNothing{tx} }, false, "I2", 0},
		{"the log keeps less than what was posted", func(tx store.Tx) store.Tx { return losesABatch{tx} }, false, "I1", 0},
		{"the batch of a copy is not kept", func(tx store.Tx) store.Tx { return losesCopies{tx} }, false, "I1", 1},
		{"what is late stays late", func(tx store.Tx) store.Tx { return leavesLateOnes{tx} }, false, "I2", 1},
		{"gaps are overlooked", func(tx store.Tx) store.Tx { return overlooksGaps{tx} }, false, "I2", 1},
		{"no new epoch after a restore", nil, true, "I9", 0},
	} {
		t.Run(broken.name, func(t *testing.T) {
			s.flaw, s.unmarked = broken.flaw, broken.unmarked
			must(t, s.restart(t.Context()))
			for i := range 40 {
				number++
				seed := (broken.script + i) % 40
				if err := s.follow(t.Context(), c, number, scripts.Example(seed)); err != nil {
					first, _, _ := strings.Cut(err.Error(), "\n")
					if !strings.Contains(first, broken.caught+" does not hold") {
						t.Fatalf("script %d: %v\nwant %s to find it", seed, err, broken.caught)
					}
					t.Logf("script %d: %s", seed, first)
					return
				}
			}
			t.Error("40 scripts did not find it")
		})
	}
}

// scripts are histories that are drawn before they are played.
var scripts = rapid.Custom(func(t *rapid.T) []step {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) step {
		return drawStep(t, rapid.SampledFrom(actions()).Draw(t, "do"))
	}), 30, 40).Draw(t, "script")
})

// follow plays a script.
func (s *site) follow(ctx context.Context, c *clock, number int, script []step) error {
	m, err := s.newMachine(ctx, c, number)
	if err != nil {
		return err
	}
	for _, one := range script {
		if err := m.step(one); err != nil {
			return err
		}
	}
	return nil
}

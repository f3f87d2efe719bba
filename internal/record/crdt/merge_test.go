package crdt_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"firemode/test/race"
)

// replay plays a script on an engine used in some way and compares with the oracle after every
// batch. It returns the first difference.
func replay(sc script, w way) (s *server, err error) {
	s = newServer(w)
	before := s.truth()
	newPlay(s, func(b batch) {
		m := s.merge(b)
		if err != nil {
			return
		}
		after := s.truth()
		err = firstOf(s.compareState(after), compareReport(b, m, before, after))
		before = after
		if err != nil {
			err = fmt.Errorf("after\n%s%w", s, err)
		}
	}).run(sc)
	return s, err
}

// I2, I7: the state after every batch is the oracle's, whatever arrives in whatever order with
// whatever clock.
func TestHistories_EngineMatchesOracle(t *testing.T) {
	check(t, 20_000, 1_000, func(t *rapid.T) {
		if _, err := replay(scripts.Draw(t, "history"), none); err != nil {
			t.Fatal(err)
		}
	})
}

// A server keeps operations as rows and reads as few as the comment of State asks for. What Merge
// reports of the batch must be enough to keep the rows right.
func TestHistories_PartialStateMatchesOracle(t *testing.T) {
	check(t, 5_000, 500, func(t *rapid.T) {
		if _, err := replay(scripts.Draw(t, "history"), rowsOnly); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzEngineMatchesOracle(f *testing.F) {
	for seed := range byte(4) {
		history := make([]byte, 2<<10)                // rapid draws from it eight bytes at a time
		rand.NewChaCha8([32]byte{seed}).Read(history) //nolint:errcheck // never fails
		f.Add(history)
	}
	f.Fuzz(rapid.MakeFuzz(func(t *rapid.T) {
		if _, err := replay(scripts.Draw(t, "history"), none); err != nil {
			t.Fatal(err)
		}
	}))
}

// I3: the same stored operations, merged in any order in which a foreign entry or a name finds what
// it speaks of, come to the same bytes.
func TestHistories_AnyOrder_SameState(t *testing.T) {
	check(t, 3_000, 300, func(t *rapid.T) {
		first, err := replay(scripts.Draw(t, "history"), none)
		if err != nil {
			t.Skip("differs from the oracle already")
		}
		second := newServer(none)
		waiting := first.log
		for len(waiting) > 0 {
			ready := second.ready(waiting)
			next := rapid.SampledFrom(ready).Draw(t, "next")
			second.merge(waiting[next])
			waiting = append(append([]batch{}, waiting[:next]...), waiting[next+1:]...)
		}
		if got, want := second.fingerprint(), first.fingerprint(); got != want {
			t.Fatalf("merged as\n%s\nand then as\n%s\nit was\n%s\nand then\n%s", first, second, want, got)
		}
	})
}

// ready returns the indices of the batches whose context and foreign names are merged.
func (s *server) ready(waiting []batch) []int {
	var ready []int
	for i, b := range waiting {
		if s.holds(b) {
			ready = append(ready, i)
		}
	}
	return ready
}

func (s *server) holds(b batch) bool {
	for actor, n := range b.foreign {
		if s.merged[actor].Prefix() < n {
			return false
		}
	}
	for _, op := range b.ops {
		for _, d := range op.Names {
			if d.Actor != b.actor && !s.merged[d.Actor].Contains(d.Batch) {
				return false
			}
		}
	}
	return true
}

// fingerprint is everything that a client could be shown.
func (s *server) fingerprint() string {
	text := string(s.state.Document())
	for _, op := range s.live() {
		text += fmt.Sprintf("\n%s %s %v", name(op), op.Value, op.Contested)
	}
	for _, c := range s.conflicts() {
		text += "\n" + c.ID + " " + string(c.Kind)
		for _, op := range c.Siblings {
			text += " " + name(op)
		}
	}
	return text
}

// An id stands for exactly one path and set of siblings.
func TestConflictIDs(t *testing.T) {
	meaning, id := map[string]string{}, map[string]string{}
	check(t, 300, 300, func(t *rapid.T) {
		s := newServer(none)
		newPlay(s, func(b batch) {
			s.merge(b)
			for _, c := range s.conflicts() {
				siblings := make([]string, len(c.Siblings))
				for i, op := range c.Siblings {
					siblings[i] = fmt.Sprint(name(op), " ", op.Kind, " ", op.Value)
				}
				slices.Sort(siblings) // their order says which is shown, and is not part of the id
				means := fmt.Sprint(c.Path, siblings)
				if known, ok := meaning[c.ID]; ok && known != means {
					t.Fatalf("one id for two conflicts:\n%s\n%s", known, means)
				}
				if known, ok := id[means]; ok && known != c.ID {
					t.Fatalf("two ids for one conflict: %s", means)
				}
				meaning[c.ID], id[means] = means, c.ID
			}
		}).run(scripts.Draw(t, "history"))
	})
	if len(meaning) < 100 {
		t.Errorf("only %d conflicts were seen", len(meaning))
	}
}

// The comparison is worth something: it finds engines that are wrong in the ways that are easy to
// be wrong.
func TestComparisonCatchesFlaws(t *testing.T) {
	for _, c := range []struct {
		name string
		way  way
	}{
		{"an arriving operation is compared with live siblings only", liveOnly},
		{"contexts reach across gaps", wholeChain},
	} {
		t.Run(c.name, func(t *testing.T) {
			for seed := range 2_000 {
				history := scripts.Example(seed)
				_, sound := replay(history, none)
				_, caught := replay(history, c.way)
				if sound == nil && caught != nil {
					t.Logf("caught by history %d: %v", seed, caught)
					return
				}
			}
			t.Error("2000 histories did not catch it")
		})
	}
}

// check runs a property on random input: long times, with the race detector short times (see
// race.Histories). The flag -rapid.checks replaces both. A failure prints the seed that reproduces
// it.
func check(t *testing.T, long, short int, property func(*rapid.T)) {
	t.Helper()
	if f := flag.Lookup("rapid.checks"); f.Value.String() == f.DefValue {
		if err := flag.Set(f.Name, strconv.Itoa(race.Histories(long, short))); err != nil {
			t.Fatal(err)
		}
		defer flag.Set(f.Name, f.DefValue) //nolint:errcheck // the flag accepts its default
	}
	rapid.Check(t, property)
}

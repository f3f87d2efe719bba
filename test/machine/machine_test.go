package machine

import (
	"flag"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"firemode/internal/store/storetest/pgtest"
	"firemode/test/race"
)

func TestMain(m *testing.M) {
	flag.Parse()
	set := func(name, value string) {
		if err := flag.Set(name, value); err != nil {
			fmt.Println(err)
			os.Exit(2)
		}
	}
	if f := flag.Lookup("rapid.checks"); f.Value.String() == f.DefValue {
		set(f.Name, strconv.Itoa(race.Histories(8, 2))) // on each engine; -rapid.checks replaces it
	}
	set("rapid.nofailfile", "true") // the seed replays
	os.Exit(pgtest.Main(m))
}

// actions lists the actions that the machine draws from. An action that is listed twice happens
// twice as often.
func actions() []action {
	return []action{
		record, record, record, send, send, send, send, send, send, retry, retry, rekey, otherBody, otherBatch,
		careless, atomic, atomic, spoil, behalf, behalf, pull, pull, delta, delta, page, bundled, settle, settle,
		settleBoth, restart, backUp, rollBack, clone, complete, complete, reopen, reopen, assault,
	}
}

var start = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)

// Whatever phones and operators do, in whatever order: the invariants I1 to I12 hold after every
// step, and once all have synced nothing is missing. A failure prints a seed; -rapid.seed replays
// it.
func TestMachine(t *testing.T) {
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			c := &clock{at: start}
			s := newSite(t.Context(), t, e.make(t), c.now)
			n := 0
			rapid.Check(t, func(r *rapid.T) {
				n++
				s.drive(r, c, n)
			})
		})
	}
}

// FuzzMachine is TestMachine on SQLite, guided by coverage.
func FuzzMachine(f *testing.F) {
	c := &clock{at: start}
	s := newSite(f.Context(), f, newSQLite(f), c.now)
	n := 0
	f.Fuzz(rapid.MakeFuzz(func(r *rapid.T) {
		n++
		s.drive(r, c, n)
	}))
}

// drive plays one history: its steps are drawn one by one.
func (s *site) drive(r *rapid.T, c *clock, number int) {
	m, err := s.newMachine(r.Context(), c, number)
	if err != nil {
		r.Fatal(err)
	}
	choose := map[string]func(*rapid.T){}
	for i, do := range actions() {
		choose[fmt.Sprintf("%s %d", do, i)] = func(r *rapid.T) {
			if err := m.step(drawStep(r, do)); err != nil {
				r.Fatalf("%s: %v", do, err)
			}
		}
	}
	r.Repeat(choose)
	if err := m.heal(); err != nil {
		r.Fatalf("at the end: %v", err)
	}
}

package merge_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"firemode"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/record/merge"
	"firemode/internal/store"
	"firemode/test/ratio"
)

// TestBatchCost holds that what a batch costs does not depend on what else the session holds.
// Nothing is flushed on SQLite: what is compared is work, and a flush costs what the other users of
// the disk leave of it.
func TestBatchCost(t *testing.T) {
	ratio.Wanted(t)
	for _, engine := range engines {
		open := engine.open
		pair := func(name string, dear, cheap *costs) ratio.Pair {
			return ratio.Pair{Name: engine.name + ": " + name, Limit: 1.3, Dear: dear.batches, Cheap: cheap.batches}
		}
		many, less := newCosts(t, open), newCosts(t, open)
		many.fill(t, "/items/I%d/note", 100_000)
		less.fill(t, "/items/I%d/note", 100)
		own, alone := newCosts(t, open), newCosts(t, open)
		own.fill(t, "/items/X/measurements/m%d", 1000)
		alone.fill(t, "/items/X/measurements/m%d", 1)
		crowd, single := newCosts(t, open), newCosts(t, open)
		crowd.crowd(t, "/items/X/note", 1000)
		single.crowd(t, "/items/X/note", 1)
		ratio.Judge(t,
			pair("a batch at 100 000 items, in those at 100", many, less),
			pair("a batch at 1 000 readings of its item, in those at 1", own, alone),
			pair("a batch beside 1 000 siblings of a path of its item, in those at 1", crowd, single),
		)
	}
}

// costs is a session whose batches are measured.
type costs struct {
	*world
	ref     ledger.SessionRef
	service *record
	change  []crdt.Change
	n       int
}

func newCosts(t *testing.T, open func(testing.TB, func() time.Time) store.Database) *costs {
	t.Helper()
	w := newWorld(t, open)
	ref, err := w.newSession(t.Context(), "X", "Y")
	must(t, err)
	service, err := w.newService()
	must(t, err)
	t.Cleanup(service.Close)
	return &costs{world: w, ref: ref, service: service, change: sets(t, "/items/X/reason")}
}

func (c *costs) submit(user firemode.UserID, changes []crdt.Change) {
	c.n++
	ctx := firemode.WithPrincipal(
		context.Background(),
		firemode.Principal{Org: c.ref.Org, User: user, Role: firemode.RoleManager},
	)
	if _, _, err := c.service.Submit(ctx, merge.Submission{
		Session: c.ref.Session, Key: fmt.Sprint(c.n),
		Changes: changes,
	}); err != nil {
		panic(err)
	}
}

// batches is what one batch of one change costs.
func (c *costs) batches() time.Duration {
	return ratio.Timed(60, func() { c.submit("ann", c.change) })
}

// fill posts n readings of one user, a thousand in a batch.
func (c *costs) fill(t *testing.T, path string, n int) {
	for at := 0; at < n; at += 1000 {
		paths := make([]string, min(1000, n-at))
		for i := range paths {
			paths[i] = fmt.Sprintf(path, at+i)
		}
		c.submit("bob", sets(t, paths...))
	}
}

// crowd has n users disagree about one path.
func (c *costs) crowd(t *testing.T, path string, n int) {
	for i := range n {
		changes, err := crdt.ParseChanges(
			[]jsontext.Value{jsontext.Value(fmt.Sprintf(`{"op":"set","path":%q,"value":%d}`, path, i))},
		)
		must(t, err)
		c.submit(firemode.UserID(fmt.Sprintf("u%d", i)), changes)
	}
}

// TestRebuildCost holds that computing a session anew from its log, and comparing, costs what the
// log is long.
func TestRebuildCost(t *testing.T) {
	ratio.Wanted(t)
	for _, engine := range engines {
		long, short := newCosts(t, engine.open), newCosts(t, engine.open)
		long.log(t, 8000)
		short.log(t, 800)
		ratio.Judge(t, ratio.Pair{
			Name: engine.name + ": verifying an entry of 8 000, in those of 800", Limit: 1.3, Rounds: 5,
			Dear: func() time.Duration { return long.verify(t, 8000) }, Cheap: func() time.Duration {
				return short.verify(t,
					800)
			},
		})
	}
}

// log posts n batches to three hundred items.
func (c *costs) log(t *testing.T, n int) {
	for i := range n {
		c.submit("ann", sets(t, fmt.Sprintf("/items/I%d/note", i%300)))
	}
}

// verify returns what each of n entries costs.
func (c *costs) verify(t *testing.T, n int) time.Duration {
	return ratio.Timed(1, func() {
		must(
			t,
			c.service.verify(t.Context(), c.ref, openScratch(t, time.Now), func(where, what string) { t.Error(where, what) }),
		)
	}) / time.Duration(n)
}

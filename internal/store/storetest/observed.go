package storetest

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"

	"firemode"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

func observedTests() []test {
	return []test{
		{"the backlog is what is open, of all organisations", backlog},
		{"a pool counts what is in use, and who had to wait", poolStats},
	}
}

func backlog(t *testing.T, s store.Database) {
	equal(t, backlogOf(t, s), store.Backlog{})
	visits := []struct {
		building firemode.BuildingID
		status   firemode.SessionStatus
		head     ledger.Head
	}{
		{"b", firemode.SessionActive, ledger.Head{Conflicts: 1}},
		{"b", firemode.SessionReopened, ledger.Head{Conflicts: 20, Gaps: 300}},
		{"b", firemode.SessionActive, ledger.Head{Gaps: 4000}},
		{"b", firemode.SessionActive, ledger.Head{}},
		{"b", firemode.SessionCompleted, ledger.Head{Conflicts: 50_000, Gaps: 50_000}}, // its gaps were accepted
		{"gone", firemode.SessionActive, ledger.Head{Conflicts: 600_000, Gaps: 600_000}},
	}
	for _, org := range []firemode.OrgID{"o1", "o2"} {
		update(t, s, func(ctx context.Context, tx store.Tx) error {
			err := store.As[store.OrganisationWriter](tx).CreateOrganisation(ctx, firemode.Organisation{ID: org})
			for _, b := range []firemode.Building{
				{Org: org, ID: "b", Name: "here", Status: firemode.BuildingActive, Version: 1},
				{Org: org, ID: "gone", Name: "gone", Status: firemode.BuildingArchived, Version: 1},
			} {
				err = errors.Join(err, store.As[store.BuildingWriter](tx).CreateBuilding(ctx, b))
			}
			for n, v := range visits {
				err = errors.Join(err, store.As[store.SessionWriter](tx).CreateSession(ctx, firemode.Session{
					Org: org, ID: firemode.SessionID(name("s", n)), Building: v.building, Status: v.status, Version: 1,
				}, v.head))
			}
			return err
		})
	}
	equal(t, backlogOf(t, s), store.Backlog{Conflicts: 2 * 21, Gaps: 2 * 4300})
	update(t, s, func(ctx context.Context, tx store.Tx) error {
		return store.As[store.SessionWriter](tx).SaveHead(ctx, "o1", firemode.SessionID(name("s", 1)), ledger.Head{})
	})
	equal(t, backlogOf(t, s), store.Backlog{Conflicts: 22, Gaps: 8300})
}

func backlogOf(t *testing.T, s store.Database) store.Backlog {
	t.Helper()
	b, err := s.Backlog(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// reading is the pool that Views take from.
func reading(s store.Database) store.Pool {
	pools := s.Stats().Pools
	return pools[len(pools)-1]
}

// poolStats has Views hold every connection that there may be, and one more wait.
func poolStats(t *testing.T, s store.Database) {
	most := reading(s).Max
	if most < 2 {
		t.Fatalf("at most %d connections", most)
	}
	before := reading(s)
	var views sync.WaitGroup
	inside, release := make(chan struct{}), make(chan struct{})
	view := func() {
		if err := s.View(t.Context(), func(store.ReadTx) error {
			inside <- struct{}{}
			<-release
			return nil
		}); err != nil {
			t.Error(err)
		}
	}
	for range most {
		views.Go(view)
	}
	for range most {
		<-inside
	}
	full := reading(s)
	equal(t, [2]int{full.InUse, full.Idle}, [2]int{most, 0})
	for full.Waits == before.Waits { // until the one more is there before one of them ends
		views.Go(view)
		runtime.Gosched()
		release <- struct{}{}
		<-inside
		full = reading(s)
	}
	close(release)
	views.Wait()
	after := reading(s)
	if after.InUse != 0 || after.Idle < 1 {
		t.Errorf("%+v after all have ended", after)
	}
}

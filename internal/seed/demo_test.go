package seed_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"firemode"
	"firemode/internal/identity"
	"firemode/internal/seed"
	"firemode/internal/store"
	"firemode/internal/store/storetest"
)

func TestDemo_EmptyDatabase_Filled(t *testing.T) {
	onBothEngines(t, func(t *testing.T, db store.Store) {
		s := services(t, db)
		if diff := cmp.Diff(progress, strings.Join(run(t, s), "\n")); diff != "" {
			t.Errorf("progress:\n%s", diff)
		}
		checkComplete(t, s)
		t.Run("every user can log in", func(t *testing.T) { checkLogins(t, s) })
		t.Run("no result is flagged", func(t *testing.T) { checkFlags(t, s) })
		t.Run("one conflict is open", func(t *testing.T) { checkConflict(t, s) })
		t.Run("the next visit shows the previous results", func(t *testing.T) { checkLastResults(t, s) })
	})
}

func TestDemo_SecondRun_WritesNothing(t *testing.T) {
	onBothEngines(t, func(t *testing.T, db store.Store) {
		run(t, services(t, db))
		watched := &counted{Store: db}
		lines := run(t, services(t, watched))
		if diff := cmp.Diff([]string{"the database already has data; nothing was changed"}, lines); diff != "" {
			t.Error(diff)
		}
		if n := watched.writes.Load(); n != 0 {
			t.Errorf("the second run wrote %d times, want 0", n)
		}
	})
}

func TestDemo_OtherData_Unchanged(t *testing.T) {
	for name, org := range map[string]firemode.Organisation{
		"another organisation":       {ID: "acme", Name: "Acme Fire Services"},
		"an organisation named demo": {ID: "demo", Name: "Our own trial"},
	} {
		t.Run(name, func(t *testing.T) {
			db := storetest.OpenSQLite(t)
			s := services(t, db)
			must(t, s.Auth.AddOrganisation(t.Context(), org.ID, org.Name))
			watched := &counted{Store: db}
			run(t, services(t, watched))
			if n := watched.writes.Load(); n != 0 {
				t.Errorf("the demo wrote %d times, want 0", n)
			}
		})
	}
}

// Wherever a run is interrupted, the next run completes the demo with the same result.
func TestDemo_InterruptedRun_Completed(t *testing.T) {
	fresh := services(t, storetest.OpenSQLite(t))
	run(t, fresh)
	for name, afterCommit := range map[string]bool{"before a commit": false, "after a commit": true} {
		t.Run(name, func(t *testing.T) {
			db := storetest.OpenSQLite(t)
			cuts := 0
			// A later run repeats the steps of the earlier runs, so it needs more writes to get
			// further.
			for limit := int64(1); ; limit += 3 {
				s := services(t, &counted{Store: db, limit: limit, afterCommit: afterCommit})
				err := seed.Demo(t.Context(), s.Services, func(string) {})
				if err == nil {
					break
				}
				if !errors.Is(err, errCut) {
					t.Fatalf("interrupted after %d writes: %v", limit, err)
				}
				cuts++
			}
			if cuts < 8 {
				t.Errorf("only %d runs were interrupted", cuts)
			}
			s := services(t, db)
			checkComplete(t, s)
			for _, id := range []firemode.SessionID{"six-monthly-1", "yearly-1", "123"} {
				if diff := cmp.Diff(document(t, fresh, "demo", id), document(t, s, "demo", id)); diff != "" {
					t.Errorf("the document of %s differs:\n%s", id, diff)
				}
			}
		})
	}
}

// Two nodes on one database may fill the demo at the same time.
func TestDemo_ConcurrentRuns_CompleteOnce(t *testing.T) {
	onBothEngines(t, func(t *testing.T, db store.Store) {
		var runs errgroup.Group
		for range 2 {
			s := services(t, db)
			runs.Go(func() error { return seed.Demo(t.Context(), s.Services, func(string) {}) })
		}
		must(t, runs.Wait())
		checkComplete(t, services(t, db))
	})
}

const progress = `organisation demo: 6 users, 174 rules in force
imported Harbour Tower: 460 assets, 5 rows rejected, 5 baselines
imported Mill Lane Depot: 14 assets, 0 rows rejected, 0 baselines
session six-monthly-1, Previous six-monthly service of harbour-tower: 302 items, 703 results submitted, 302 items done, 0 conflicts, completed
session yearly-1, Yearly service of harbour-tower: 472 items, 178 results submitted, 93 items done, 1 conflicts, active
session 123, Six-monthly service of harbour-tower: 302 items, 0 results submitted, 0 items done, 0 conflicts, pending
organisation other: 2 users, 174 rules in force
imported Ridge Road Medical Centre: 14 assets, 0 rows rejected, 0 baselines
session 123, Six-monthly service of ridge-road: 16 items, 0 results submitted, 0 items done, 0 conflicts, pending`

// complete is the outline of a complete demo.
const complete = `user demo admin admin@demo admin
user demo manager manager@demo manager
user demo tech1 tech1@demo technician
user demo tech2 tech2@demo technician
user demo engineer engineer@demo engineer
user demo owner owner@demo owner
building demo harbour-tower owners [owner] assets 460 baselines 5
building demo mill-lane owners [] assets 14 baselines 0
session demo 123 harbour-tower six_monthly pending [] items 302 checks 1968 done 0 conflicts 0 gaps 0 batches 0
session demo yearly-1 harbour-tower yearly active [tech1 tech2] items 472 checks 2426 done 93 conflicts 1 gaps 0 batches 2
session demo six-monthly-1 harbour-tower six_monthly completed [tech1 tech2] items 302 checks 1968 done 302 conflicts 0 gaps 0 batches 4
defect six-monthly-1 EL-042 ASNZS2293.2-2019-EL-02 failed_before_duration 1 open non_critical_defect default 1 tech2
defect six-monthly-1 EL-066 ASNZS2293.2-2019-EL-02 not_tested_no_access 1 open not_tested default 1 tech2
defect six-monthly-1 FD-020 AS1851-2012-FD-02 gap_exceeds_limit 1 open non_critical_defect default 1 tech2
defect six-monthly-1 FD-028 AS1851-2012-FD-05 wedged_open 1 open non_critical_defect default 1 tech2
defect six-monthly-1 FE-018 AS1851-2012-FE-01 pressure_low 1 open critical_defect escalated 1 tech1
defect six-monthly-1 FE-026 AS1851-2012-FE-01 pressure_low 1 open non_critical_defect default 1 tech1
defect six-monthly-1 FE-052 AS1851-2012-FE-07 corrosion_minor 1 open recommendation override 1 tech1
defect six-monthly-1 PU-001 AS1851-2012-PU-06 battery_charge_low 1 open non_critical_defect default 1 tech1
defect six-monthly-1 PU-002 AS1851-2012-PU-02 not_in_automatic 1 open critical_defect default 1 tech1
defect six-monthly-1 SK-016 AS1851-2012-SK-10 zone_label_missing 1 open non_conformance default 1 tech2
defect six-monthly-1 site-GN AS1851-2012-GN-02 logbook_not_current 1 open non_conformance default 1 tech1
defect six-monthly-1 system-SK AS1851-2012-SK-06 spare_sprinklers_missing 4 open non_conformance default 1 tech1
defect yearly-1 DA-002 AS1851-2012-DA-08 contaminated 1 open non_critical_defect default 1 tech1
defect yearly-1 site-EP AS1851-2012-EP-02 diagram_past_validity 1 open non_conformance default 1 tech1
user other admin admin@other admin
user other tech1 tech1@other technician
building other ridge-road owners [] assets 14 baselines 0
session other 123 ridge-road six_monthly pending [] items 16 checks 82 done 0 conflicts 0 gaps 0 batches 0
`

func checkComplete(t *testing.T, s demo) {
	t.Helper()
	if diff := cmp.Diff(complete, strings.Join(outline(t, s), "")); diff != "" {
		t.Errorf("unexpected demo:\n%s", diff)
	}
}

func checkLogins(t *testing.T, s demo) {
	t.Helper()
	for _, name := range []string{
		"admin@demo", "manager@demo", "tech1@demo", "tech2@demo", "engineer@demo", "owner@demo",
		"admin@other", "tech1@other",
	} {
		if _, err := s.Auth.Login(t.Context(), identity.Credentials{Username: name, Password: "firemode-demo"}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// checkFlags checks that no result is flagged: every path fits the item, and every time is
// plausible.
func checkFlags(t *testing.T, s demo) {
	t.Helper()
	kept := 0
	for _, id := range []firemode.SessionID{"six-monthly-1", "yearly-1"} {
		history, err := s.Views.History(asAdmin(t, "demo"), id, "/items", all)
		must(t, err)
		kept += len(history)
		for _, op := range history {
			if op.Row.Origin.Flags != nil {
				t.Errorf("%s %s is flagged %v", id, op.Row.Path, op.Row.Origin.Flags)
			}
		}
	}
	if kept != 703+178 {
		t.Errorf("%d results are kept, want %d", kept, 703+178)
	}
}

func checkConflict(t *testing.T, s demo) {
	t.Helper()
	_, conflicts, _ := strings.Cut(document(t, s, "demo", "yearly-1"), "\n")
	want := "conflict /items/HR-001/measurements/flow_lps value demo-tablet-1:1:55=0.432 by tech1, demo-tablet-2:1:79=0.36 by tech2"
	if conflicts != want {
		t.Errorf("conflicts:\n%s\nwant:\n%s", conflicts, want)
	}
}

// checkLastResults checks that the pending six-monthly visit shows the results of the previous one.
func checkLastResults(t *testing.T, s demo) {
	t.Helper()
	items, err := s.Visits.Items(asAdmin(t, "demo"), "123", store.ItemFilter{}, all)
	must(t, err)
	outcomes := map[string]int{}
	for _, item := range items {
		if item.Row.Last == nil || item.Row.Last.Session != "six-monthly-1" {
			t.Fatalf("%s has no last result", item.Row.ID)
		}
		outcomes[item.Row.Last.Outcome]++
	}
	if diff := cmp.Diff(map[string]int{"pass": 290, "fail": 11, "not_tested": 1}, outcomes); diff != "" {
		t.Error(diff)
	}
}

package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"firemode"
	"firemode/internal/store"
	"firemode/test/ratio"
)

// ListCost holds that a page of a list costs what it shows, not what there is. series makes a table
// of the numbers from 1 to its argument, in a column n.
func ListCost(t *testing.T, engine string, empty func(t testing.TB) Empty, series func(n int) string) {
	ratio.Wanted(t)
	many, few := manySessions(t, empty(t), series(1_000_000)), manySessions(t, empty(t), series(10_000))
	page := func(s store.Database) func() time.Duration {
		return func() time.Duration { return ratio.Timed(100, func() { readPage(t, s) }) }
	}
	ratio.Judge(t, ratio.Pair{
		Name: engine + ": a page of 1 000 000 sessions, in those of 10 000", Limit: 1.5, Dear: page(many),
		Cheap: page(few),
	})
}

// manySessions returns a store with a session for each number of a series.
func manySessions(t *testing.T, e Empty, series string) store.Database {
	t.Helper()
	s := e.Open()
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	update(t, s, func(ctx context.Context, tx store.Tx) error {
		return store.As[store.OrganisationWriter](tx).CreateOrganisation(ctx, firemode.Organisation{ID: "o", Name: "O"})
	})
	update(t, s, func(ctx context.Context, tx store.Tx) error {
		return store.As[store.BuildingWriter](tx).CreateBuilding(ctx, firemode.Building{
			Org: "o", ID: "b", Name: "B",
			Address: "A", Status: firemode.BuildingActive, Version: 1,
		})
	})
	status := "CASE WHEN n % 3 = 0 THEN 'active' ELSE 'completed' END"
	e.Exec(fmt.Sprintf(`INSERT INTO sessions
		(org, id, building_id, name, frequency, status, reason, technicians, item_count, check_count, version,
		created_at, created_by, completed_at)
		SELECT 'o', 's' || n, 'b', 'visit ' || n, 'yearly', %s, '', '[]', 0, 0, 1, n, 'u', 0 FROM %s`, status, series))
	e.Exec(fmt.Sprintf(`INSERT INTO session_technicians (org, session_id, viewer, building_id, status, created_at)
		SELECT 'o', 's' || n, v, 'b', %s, n FROM %s, (SELECT '*' AS v UNION ALL SELECT '') AS viewers`, status, series))
	e.Exec("ANALYZE")
	return s
}

func readPage(t *testing.T, s store.Database) {
	page := read(t, s, func(ctx context.Context, tx store.ReadTx) ([]store.Keyed[firemode.Session], error) {
		return store.As[store.SessionReader](tx).Sessions(ctx, "o", store.SessionFilter{VisibleTo: "tech"},
			store.Page{Limit: 20})
	})
	if len(page) != 20 {
		t.Fatalf("a page of %d sessions", len(page))
	}
}

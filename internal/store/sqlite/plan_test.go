package sqlite

import (
	"strings"
	"testing"

	"firemode"
	"firemode/internal/store"
	"firemode/internal/store/row"
)

// The lists that must stay cheap read an index in its order: nothing is sorted, nothing is scanned.
func TestPlans(t *testing.T) {
	const listed = " IN (SELECT value FROM json_each(?))"
	s := newStore(t)
	for _, c := range []struct {
		name, query, index string
	}{
		{"sessions", listRange + listPage, "COVERING INDEX session_technicians_list (org=? AND viewer=? AND " +
			"status=? AND created_at>? AND (created_at,session_id)<(?,?))"},
		{
			"sessions of a building", listRange + listBuilding + listPage,
			"COVERING INDEX session_technicians_building (org=? AND building_id=? AND viewer=? AND status=? AND " +
				"created_at>? AND (created_at,session_id)<(?,?))",
		},
		{"sessions of two technicians", listRange + listAlso + listPage, "COVERING INDEX session_technicians_list"},
		{
			"defects", row.SelectDefects + defectConditions(store.DefectFilter{}) + " ORDER BY found_at, id LIMIT ?4",
			"INDEX defects_found (org=? AND (found_at,id)>(?,?))",
		},
		{
			"defects of a building", row.SelectDefects + defectConditions(store.DefectFilter{
				Building: "b", NotSession: "s", Statuses: []firemode.DefectStatus{firemode.DefectOpen}, VisibleTo: "t",
				OwnedBy: "o",
			}) + " ORDER BY found_at, id LIMIT ?4",
			"INDEX defects_building (org=? AND building_id=? AND (found_at,id)>(?,?))",
		},
		{
			"defects of a session", row.SelectDefects + defectConditions(store.DefectFilter{
				Session:  "s",
				Building: "b",
			}) + " ORDER BY found_at, id LIMIT ?4",
			"INDEX defects_",
		},
		{
			"a walk over what is live", liveNow + row.WalkPage,
			"o USING INDEX ops_live (org=? AND session_id=? AND (path,seq,idx)>(?,?,?) AND path<?)",
		},
		{
			"a walk over what was live", liveThen + row.WalkPage,
			"o USING PRIMARY KEY (org=? AND session_id=? AND (path,seq,idx)>(?,?,?) AND path<?)",
		},
		{
			"the batch of an operation", liveNow + row.WalkPage,
			"b USING INDEX sqlite_autoindex_batches_1 (org=? AND session_id=? AND seq=?)",
		},
		{"the log", row.SelectLog(false), "INDEX sqlite_autoindex_batches_1 (org=? AND session_id=? AND seq>? AND " +
			"seq<?)"},
		{"what is late", row.SelectLog(true), "INDEX batches_late (org=? AND session_id=? AND seq>? AND seq<?)"},
		{"backlog", selectBacklog, "SCAN h USING COVERING INDEX session_heads_open"},
		{"defects of items", selectDefectsOfItems, "INDEX defects_item (org=? AND session_id=? AND item_id=?)"},
		{"defects by id", row.SelectDefects + " WHERE org = ? AND id" + listed, "PRIMARY KEY (org=? AND id=?)"},
		{
			"assets by id", row.SelectAssets + " AND id IN (SELECT value FROM json_each(?3))",
			"PRIMARY KEY (org=? AND building_id=? AND id=?)",
		},
		{"users by id", row.SelectUsers + " WHERE org = ? AND id" + listed, "PRIMARY KEY (org=? AND id=?)"},
		{"sessions by id", row.SelectSessions + " WHERE org = ? AND id" + listed, "PRIMARY KEY (org=? AND id=?)"},
		{"barcodes", "SELECT id FROM assets WHERE org = ? AND building_id = ? AND barcode <> '' " +
			"AND barcode IN (SELECT value FROM json_each(?))", "INDEX assets_barcode"},
	} {
		t.Run(c.name, func(t *testing.T) {
			plan := strings.Join(explain(t, s, c.query), "\n")
			if !strings.Contains(plan, c.index) || strings.Contains(plan, "TEMP B-TREE FOR ORDER") {
				t.Errorf("plan:\n%s\nwant %s", plan, c.index)
			}
		})
	}
}

func explain(t *testing.T, s *Store, query string) (plan []string) {
	t.Helper()
	err := s.View(t.Context(), func(tx store.ReadTx) (err error) {
		args := make([]any, 11)
		for i := range args {
			args[i] = ""
		}
		plan, err = row.All(t.Context(), tx.(readTx).sql, func(r row.Scanner) (detail string, err error) {
			var id, parent, unused int
			err = r.Scan(&id, &parent, &unused, &detail)
			return detail, err
		}, "EXPLAIN QUERY PLAN "+query, args...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

package sqlite

import (
	"context"
	"strings"

	"firemode"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
	"firemode/internal/store/row"
)

func (t readTx) DefectsByID(
	ctx context.Context, org firemode.OrgID, ids []firemode.DefectID,
) ([]firemode.Defect, error) {
	return row.All(ctx, t.sql, row.ScanDefect, row.SelectDefects+" WHERE org = ? AND id IN (SELECT value "+
		"FROM json_each(?))", org, array(ids))
}

func (t readTx) Defects(
	ctx context.Context, org firemode.OrgID, f store.DefectFilter, p store.Page,
) ([]store.Keyed[firemode.Defect], error) {
	at, id, err := row.After(p)
	if err != nil {
		return nil, err
	}
	list, err := row.All(ctx, t.sql, row.ScanDefect, row.SelectDefects+defectConditions(f)+" ORDER BY found_at, id "+
		"LIMIT ?4",
		org, at, id, p.Limit, f.Building, f.Session, f.NotSession, array(f.Statuses), array(f.Classes),
		array(row.VisibleTo(f.VisibleTo)), f.OwnedBy)
	return row.DefectKeys(list, err)
}

// defectConditions names only the columns that f limits, so that the right index is used.
func defectConditions(f store.DefectFilter) string {
	var query strings.Builder
	query.WriteString(" WHERE org = ?1 AND (found_at, id) > (?2, ?3)")
	for _, c := range []struct {
		limited   bool
		condition string
	}{
		{f.Building != "", " AND building_id = ?5"},
		{f.Session != "", " AND session_id = ?6"},
		{f.NotSession != "", " AND session_id <> ?7"},
		{len(f.Statuses) > 0, " AND status IN (SELECT value FROM json_each(?8))"},
		{len(f.Classes) > 0, " AND class IN (SELECT value FROM json_each(?9))"},
		{f.VisibleTo != "", ` AND EXISTS (SELECT 1 FROM session_technicians v
			WHERE v.org = ?1 AND v.session_id = d.session_id AND v.viewer IN (SELECT value FROM json_each(?10)))`},
		{f.OwnedBy != "", ` AND EXISTS (SELECT 1 FROM building_owners o
			WHERE o.org = ?1 AND o.building_id = d.building_id AND o.owner = ?11)`},
	} {
		if c.limited {
			query.WriteString(c.condition)
		}
	}
	return query.String()
}

const selectDefectsOfItems = row.SelectDefects + ` INDEXED BY defects_item
	WHERE org = ? AND session_id = ? AND item_id IN (SELECT value FROM json_each(?))`

func (t readTx) DefectsOfItems(
	ctx context.Context, s ledger.SessionRef, items []firemode.ItemID,
) ([]firemode.Defect, error) {
	return row.All(ctx, t.sql, row.ScanDefect, selectDefectsOfItems, s.Org, s.Session, array(items))
}

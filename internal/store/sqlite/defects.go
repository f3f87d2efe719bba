package sqlite

import (
	"context"
	"strings"

	"firemode"
	"firemode/internal/store"
	"firemode/internal/store/row"
)

const selectDefects = "SELECT " + row.DefectColumns + " FROM defects d"

func (t readTx) Defect(ctx context.Context, org firemode.OrgID, id firemode.DefectID) (firemode.Defect, error) {
	d, err := one(ctx, t, row.ScanDefect, selectDefects+" WHERE org = ? AND id = ?", org, id)
	return found(d, err, "defect")
}

func (t readTx) DefectsByID(ctx context.Context, org firemode.OrgID, ids []firemode.DefectID) ([]firemode.Defect, error) {
	return all(ctx, t, row.ScanDefect, selectDefects+" WHERE org = ? AND id IN (SELECT value FROM json_each(?))", org, array(ids))
}

func (t readTx) Defects(ctx context.Context, org firemode.OrgID, f store.DefectFilter, p store.Page) ([]store.Keyed[firemode.Defect], error) {
	at, id, err := after(p)
	if err != nil {
		return nil, err
	}
	list, err := all(ctx, t, row.ScanDefect, selectDefects+defectConditions(f)+" ORDER BY found_at, id LIMIT ?4",
		org, at, id, p.Limit, f.Building, f.Session, f.NotSession, array(f.Statuses), array(f.Classes),
		array(row.VisibleTo(f.VisibleTo)), f.OwnedBy)
	return keyed(list, err, func(d firemode.Defect) string { return store.Key(store.Micros(d.FoundAt), string(d.ID)) })
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

func (t writeTx) SaveDefects(ctx context.Context, defects []firemode.Defect) error {
	for _, d := range defects {
		values, err := row.DefectValues(d)
		if err != nil {
			return t.fail(err)
		}
		err = t.exec(ctx, "INSERT INTO defects ("+row.DefectColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (org, id) DO UPDATE SET version = excluded.version, count = excluded.count, status = excluded.status,
				class = excluded.class, classifications = excluded.classifications, note = excluded.note,
				updated_at = excluded.updated_at, revision = revision + 1`, values...)
		if err != nil {
			return err
		}
	}
	return nil
}

func (t writeTx) UpdateDefect(ctx context.Context, d firemode.Defect) error {
	changes, err := row.DefectChanges(d)
	if err != nil {
		return t.fail(err)
	}
	n, err := t.write(ctx, row.Taken{}, `UPDATE defects SET version = ?, count = ?, status = ?, class = ?, classifications = ?,
		note = ?, updated_at = ?, revision = revision + 1 WHERE org = ? AND id = ? AND revision = ?`,
		append(changes, d.Org, d.ID, d.Revision)...)
	return t.changed(n, err, "the defect", func() error {
		_, err := t.Defect(ctx, d.Org, d.ID)
		return err
	})
}

package postgres

import (
	"context"
	"strconv"
	"strings"

	"firemode"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
	"firemode/internal/store/row"
)

func (t readTx) DefectsByID(
	ctx context.Context, org firemode.OrgID, ids []firemode.DefectID,
) ([]firemode.Defect, error) {
	return row.All(ctx, t.sql, row.ScanDefect, row.SelectDefects+" WHERE org = $1 AND id = ANY($2)", org,
		row.Strings(ids))
}

func (t readTx) Defects(
	ctx context.Context, org firemode.OrgID, f store.DefectFilter, p store.Page,
) ([]store.Keyed[firemode.Defect], error) {
	at, id, err := row.After(p)
	if err != nil {
		return nil, err
	}
	c := defectConditions(f, org, at, id, p.Limit)
	list, err := row.All(ctx, t.sql, row.ScanDefect, row.SelectDefects+` WHERE org = $1 AND (found_at, id) > ($2,
		$3)`+c.sql+
		" ORDER BY found_at, id LIMIT $4", c.args...)
	return row.DefectKeys(list, err)
}

// conditions are the conditions of a WHERE and their arguments. They name only the columns that a
// filter limits, so that a generic plan uses the right index.
type conditions struct {
	sql  string
	args []any
}

// add adds a condition in which ? stands for the argument.
func (c *conditions) add(condition string, arg any) {
	c.args = append(c.args, arg)
	c.sql += " AND " + strings.ReplaceAll(condition, "?", "$"+strconv.Itoa(len(c.args)))
}

func defectConditions(f store.DefectFilter, args ...any) *conditions {
	c := &conditions{args: args}
	if f.Building != "" {
		c.add("building_id = ?", f.Building)
	}
	if f.Session != "" {
		c.add("session_id = ?", f.Session)
	}
	if f.NotSession != "" {
		c.add("session_id <> ?", f.NotSession)
	}
	if len(f.Statuses) > 0 {
		c.add("status = ANY(?)", row.Strings(f.Statuses))
	}
	if len(f.Classes) > 0 {
		c.add("class = ANY(?)", row.Strings(f.Classes))
	}
	if f.VisibleTo != "" {
		c.add(`EXISTS (SELECT 1 FROM session_technicians v
			WHERE v.org = d.org AND v.session_id = d.session_id AND v.viewer = ANY(?))`, row.VisibleTo(f.VisibleTo))
	}
	if f.OwnedBy != "" {
		c.add(`EXISTS (SELECT 1 FROM building_owners o
			WHERE o.org = d.org AND o.building_id = d.building_id AND o.owner = ?)`, f.OwnedBy)
	}
	return c
}

func (t readTx) DefectsOfItems(
	ctx context.Context, s ledger.SessionRef, items []firemode.ItemID,
) ([]firemode.Defect, error) {
	return row.All(ctx, t.sql, row.ScanDefect, lookUp("defects", row.DefectColumns, "item_id"), s.Org, s.Session,
		row.Strings(items))
}

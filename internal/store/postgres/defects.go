package postgres

import (
	"context"
	"strconv"
	"strings"

	"firemode"
	"firemode/internal/store"
	"firemode/internal/store/row"
)

const selectDefects = "SELECT " + row.DefectColumns + " FROM defects d"

func (t readTx) Defect(ctx context.Context, org firemode.OrgID, id firemode.DefectID) (firemode.Defect, error) {
	d, err := one(ctx, t, row.ScanDefect, selectDefects+" WHERE org = $1 AND id = $2", org, id)
	return found(d, err, "defect")
}

func (t readTx) DefectsByID(ctx context.Context, org firemode.OrgID, ids []firemode.DefectID) ([]firemode.Defect, error) {
	return all(ctx, t, row.ScanDefect, selectDefects+" WHERE org = $1 AND id = ANY($2)", org, row.Strings(ids))
}

func (t readTx) Defects(ctx context.Context, org firemode.OrgID, f store.DefectFilter, p store.Page) ([]store.Keyed[firemode.Defect], error) {
	at, id, err := after(p)
	if err != nil {
		return nil, err
	}
	c := defectConditions(f, org, at, id, p.Limit)
	list, err := all(ctx, t, row.ScanDefect, selectDefects+` WHERE org = $1 AND (found_at, id) > ($2, $3)`+c.sql+
		" ORDER BY found_at, id LIMIT $4", c.args...)
	return keyed(list, err, func(d firemode.Defect) string { return store.Key(store.Micros(d.FoundAt), string(d.ID)) })
}

// conditions are those of a WHERE and their arguments. Only what a filter limits is named, so that the right index is used also
// by a plan that PostgreSQL keeps for all arguments.
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

func (t writeTx) SaveDefects(ctx context.Context, defects []firemode.Defect) error {
	_, err := writeAll(ctx, t, row.Taken{}, insertInto("defects", row.DefectColumns)+`
		ON CONFLICT (org, id) DO UPDATE SET version = excluded.version, count = excluded.count, status = excluded.status,
			class = excluded.class, classifications = excluded.classifications, note = excluded.note,
			updated_at = excluded.updated_at, revision = defects.revision + 1`, defects, row.DefectValues)
	return err
}

func (t writeTx) UpdateDefect(ctx context.Context, d firemode.Defect) error {
	changes, err := row.DefectChanges(d)
	if err != nil {
		return t.fail(err)
	}
	n, err := t.write(ctx, row.Taken{}, `UPDATE defects SET version = $1, count = $2, status = $3, class = $4, classifications = $5,
		note = $6, updated_at = $7, revision = revision + 1 WHERE org = $8 AND id = $9 AND revision = $10`,
		append(changes, d.Org, d.ID, d.Revision)...)
	if err != nil || n > 0 {
		return err
	}
	return t.changed("the defect", func() error {
		_, err := t.Defect(ctx, d.Org, d.ID)
		return err
	})
}

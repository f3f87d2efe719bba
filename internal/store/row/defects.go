package row

import (
	"context"

	"firemode"
	"firemode/internal/store"
)

// DefectColumns are those of table defects.
const DefectColumns = "org, id, session_id, building_id, item_id, rule, version, condition, count, status, class, " +
	"classifications, " +
	"found_by, found_at, note, revision, updated_at"

// DefectValues are in the order of DefectColumns.
func DefectValues(d firemode.Defect) ([]any, error) {
	var e encoder
	values := []any{
		d.Org, d.ID, d.Session, d.Building, d.Item, d.Rule, d.Version, d.Condition, d.Count, d.Status, d.Class,
		e.json(d.Classifications), d.FoundBy, store.Micros(d.FoundAt), d.Note, d.Revision, store.Micros(d.UpdatedAt),
	}
	return values, e.err
}

// DefectChanges are what UpdateDefect writes: version, count, status, class, classifications, note,
// updated_at.
func DefectChanges(d firemode.Defect) ([]any, error) {
	var e encoder
	values := []any{d.Version, d.Count, d.Status, d.Class, e.json(d.Classifications), d.Note, store.Micros(d.UpdatedAt)}
	return values, e.err
}

// ScanDefect reads DefectColumns.
func ScanDefect(r Scanner) (d firemode.Defect, err error) {
	err = scan(r, "defects", &d.Org, &d.ID, &d.Session, &d.Building, &d.Item, &d.Rule, &d.Version, &d.Condition,
		&d.Count, &d.Status, &d.Class,
		store.JSONColumn{Into: &d.Classifications}, &d.FoundBy, store.TimeColumn{Into: &d.FoundAt}, &d.Note,
		&d.Revision,
		store.TimeColumn{Into: &d.UpdatedAt})
	return d, err
}

// SelectDefects selects DefectColumns of defects, d.
const SelectDefects = "SELECT " + DefectColumns + " FROM defects d"

// Defect implements store.DefectReader.
func (r Reader) Defect(ctx context.Context, org firemode.OrgID, id firemode.DefectID) (firemode.Defect, error) {
	d, err := One(ctx, r.sql, ScanDefect, SelectDefects+" WHERE org = ? AND id = ?", org, id)
	return Found(d, err, "defect")
}

// DefectKeys adds the keys of a list of defects.
func DefectKeys(list []firemode.Defect, err error) ([]store.Keyed[firemode.Defect], error) {
	return Keyed(list, err, func(d firemode.Defect) string { return store.Key(store.Micros(d.FoundAt), string(d.ID)) })
}

// SaveDefects implements store.DefectWriter.
func (w Writer) SaveDefects(ctx context.Context, defects []firemode.Defect) error {
	_, err := WriteAll(ctx, w.sql, Taken{}, InsertInto("defects", DefectColumns)+`
		ON CONFLICT (org, id) DO UPDATE SET version = excluded.version, count = excluded.count,
		status = excluded.status,
			class = excluded.class, classifications = excluded.classifications, note = excluded.note,
			updated_at = excluded.updated_at, revision = defects.revision + 1`, defects, DefectValues)
	return err
}

// UpdateDefect implements store.DefectWriter.
func (w Writer) UpdateDefect(ctx context.Context, d firemode.Defect) error {
	changes, err := DefectChanges(d)
	if err != nil {
		return w.sql.Fail(err)
	}
	n, err := w.sql.Write(ctx, Taken{}, `UPDATE defects SET version = ?, count = ?, status = ?, class = ?,
		classifications = ?,
		note = ?, updated_at = ?, revision = revision + 1 WHERE org = ? AND id = ? AND revision = ?`,
		append(changes, d.Org, d.ID, d.Revision)...)
	return Changed(w.sql, n, err, "the defect", func() error {
		_, err := w.read.Defect(ctx, d.Org, d.ID)
		return err
	})
}

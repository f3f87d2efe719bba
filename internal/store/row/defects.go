package row

import (
	"firemode"
	"firemode/internal/store"
)

// DefectColumns are those of table defects.
const DefectColumns = "org, id, session_id, building_id, item_id, rule, version, condition, count, status, class, classifications, " +
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

// DefectChanges are what UpdateDefect writes: version, count, status, class, classifications, note, updated_at.
func DefectChanges(d firemode.Defect) ([]any, error) {
	var e encoder
	values := []any{d.Version, d.Count, d.Status, d.Class, e.json(d.Classifications), d.Note, store.Micros(d.UpdatedAt)}
	return values, e.err
}

// ScanDefect reads DefectColumns.
func ScanDefect(r Scanner) (d firemode.Defect, err error) {
	err = scan(r, "defects", &d.Org, &d.ID, &d.Session, &d.Building, &d.Item, &d.Rule, &d.Version, &d.Condition, &d.Count, &d.Status, &d.Class,
		store.JSONColumn{Into: &d.Classifications}, &d.FoundBy, store.TimeColumn{Into: &d.FoundAt}, &d.Note, &d.Revision,
		store.TimeColumn{Into: &d.UpdatedAt})
	return d, err
}

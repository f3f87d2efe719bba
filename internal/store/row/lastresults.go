package row

import (
	"context"
	"maps"
	"slices"

	"firemode"
	"firemode/internal/store"
)

// LastResultColumns are those of table last_results after org and building_id.
const LastResultColumns = "item_id, session_id, completed_at, outcome, measurements"

// FoundItem is a last result and its item.
type FoundItem struct {
	Item firemode.ItemID
	firemode.LastResult
}

// FoundItems returns found in order of item, the order in which rows are locked.
func FoundItems(found map[firemode.ItemID]firemode.LastResult) []FoundItem {
	items := make([]FoundItem, 0, len(found))
	for _, id := range slices.Sorted(maps.Keys(found)) {
		items = append(items, FoundItem{Item: id, LastResult: found[id]})
	}
	return items
}

// LastResultValues are in the order of LastResultColumns.
func LastResultValues(f FoundItem) ([]any, error) {
	var e encoder
	return []any{f.Item, f.Session, store.Micros(f.CompletedAt), f.Outcome, e.json(f.Measurements)}, e.err
}

// ScanLastResult reads LastResultColumns.
func ScanLastResult(r Scanner) (f FoundItem, err error) {
	err = scan(r, "last_results", &f.Item, &f.Session, store.TimeColumn{Into: &f.CompletedAt}, &f.Outcome,
		store.JSONColumn{Into: &f.Measurements})
	return f, err
}

// LastResults returns list as a map.
func LastResults(list []FoundItem) map[firemode.ItemID]firemode.LastResult {
	m := make(map[firemode.ItemID]firemode.LastResult, len(list))
	for _, f := range list {
		m[f.Item] = f.LastResult
	}
	return m
}

// LastResults implements store.SessionReader.
func (r Reader) LastResults(
	ctx context.Context, org firemode.OrgID, b firemode.BuildingID,
) (map[firemode.ItemID]firemode.LastResult, error) {
	list, err := All(ctx, r.sql, ScanLastResult,
		"SELECT "+LastResultColumns+" FROM last_results WHERE org = ? AND building_id = ?", org, b)
	if err != nil {
		return nil, err
	}
	return LastResults(list), nil
}

// SaveLastResults implements store.SessionWriter.
func (w Writer) SaveLastResults(
	ctx context.Context, org firemode.OrgID, b firemode.BuildingID, found map[firemode.ItemID]firemode.LastResult,
) error {
	_, err := WriteAll(ctx, w.sql, Taken{}, InsertInto("last_results", "org, building_id, "+LastResultColumns)+`
		ON CONFLICT (org, building_id, item_id) DO UPDATE SET session_id = excluded.session_id,
			completed_at = excluded.completed_at, outcome = excluded.outcome, measurements = excluded.measurements
		WHERE excluded.completed_at >= last_results.completed_at`, FoundItems(found), func(f FoundItem) ([]any, error) {
		values, err := LastResultValues(f)
		return append([]any{org, b}, values...), err
	})
	return err
}

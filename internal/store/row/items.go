package row

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"firemode"
	"firemode/internal/store"
)

// ItemColumns are those of table items after org and session_id, but for search, which follows from them.
const ItemColumns = "id, kind, type, name, system, level, location, position, listed, checks, baselines, last_result, state, outcome, missing, conflicts"

// ItemTaken says what CreateItems found taken.
var ItemTaken = Taken{Primary: "the session has an item with this id already"}

// ItemValues are org and session, then those of ItemColumns, then search.
func ItemValues(org firemode.OrgID, s firemode.SessionID, i firemode.Item) ([]any, error) {
	var e encoder
	values := []any{
		org, s, i.ID, i.Kind, i.Type, i.Name, i.System, i.Level, e.json(i.Location), i.Position, i.Listed, e.json(i.Checks),
		e.json(i.Baselines), e.json(i.Last), i.State, i.Outcome, e.json(i.Missing), i.Conflicts,
		searchOf(i),
	}
	return values, e.err
}

// ItemStateValues are state, outcome, missing and conflicts.
func ItemStateValues(i firemode.Item) ([]any, error) {
	var e encoder
	return []any{i.State, i.Outcome, e.json(i.Missing), i.Conflicts}, e.err
}

// ScanItem reads ItemColumns.
func ScanItem(r Scanner) (firemode.Item, error) { return scanItem(r) }

func scanItem(r Scanner, further ...any) (i firemode.Item, err error) {
	columns := []any{&i.ID, &i.Kind, &i.Type, &i.Name, &i.System, &i.Level, store.JSONColumn{Into: &i.Location}, &i.Position, &i.Listed}
	columns = append(columns, store.JSONColumn{Into: &i.Checks}, store.JSONColumn{Into: &i.Baselines}, store.JSONColumn{Into: &i.Last})
	columns = append(columns, &i.State, &i.Outcome, store.JSONColumn{Into: &i.Missing}, &i.Conflicts)
	err = scan(r, "items", append(columns, further...)...)
	return i, err
}

// ItemRead returns which columns of items to read, and how. To read exactly is to read search as well, which must follow from the other
// columns.
func ItemRead(exact bool) (columns string, scan func(Scanner) (firemode.Item, error)) {
	if exact {
		return ItemColumns + ", search", scanFoundItem
	}
	return ItemColumns, ScanItem
}

func scanFoundItem(r Scanner) (firemode.Item, error) {
	var search string
	i, err := scanItem(r, &search)
	if err == nil && search != searchOf(i) {
		err = &store.Damage{Table: "items", Err: fmt.Errorf("the search text of item %s does not follow from its id, name and location", i.ID)}
	}
	return i, err
}

func searchOf(i firemode.Item) string {
	return store.Search(string(i.ID), i.Name, strings.Join(i.Location, "\n"))
}

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
	err = scan(r, "last_results", &f.Item, &f.Session, store.TimeColumn{Into: &f.CompletedAt}, &f.Outcome, store.JSONColumn{Into: &f.Measurements})
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

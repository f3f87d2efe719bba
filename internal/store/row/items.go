package row

import (
	"context"
	"fmt"
	"strings"

	"firemode"
	"firemode/internal/store"
)

// ItemColumns are those of table items after org and session_id, but for search, which follows from
// them.
const ItemColumns = "id, kind, type, name, system, level, location, position, listed, checks, baselines, " +
	"last_result, state, outcome, missing, conflicts"

// ItemTaken says what CreateItems found taken.
var ItemTaken = Taken{Primary: "the session has an item with this id already"}

// ItemValues are org and session, then those of ItemColumns, then search.
func ItemValues(org firemode.OrgID, s firemode.SessionID, i firemode.Item) ([]any, error) {
	var e encoder
	values := []any{
		org, s, i.ID, i.Kind, i.Type, i.Name, i.System, i.Level, e.json(i.Location), i.Position, i.Listed,
		e.json(i.Checks),
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
	columns := []any{
		&i.ID, &i.Kind, &i.Type, &i.Name, &i.System, &i.Level,
		store.JSONColumn{Into: &i.Location},
		&i.Position, &i.Listed,
	}
	columns = append(columns, store.JSONColumn{Into: &i.Checks}, store.JSONColumn{Into: &i.Baselines},
		store.JSONColumn{Into: &i.Last})
	columns = append(columns, &i.State, &i.Outcome, store.JSONColumn{Into: &i.Missing}, &i.Conflicts)
	err = scan(r, "items", append(columns, further...)...)
	return i, err
}

// ItemRead returns which columns of items to read, and how. To read exactly is to read search as
// well, which must follow from the other columns.
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
		err = &store.Damage{Table: "items", Err: fmt.Errorf("the search text of item %s does not follow from its "+
			"id, name and location", i.ID)}
	}
	return i, err
}

func searchOf(i firemode.Item) string {
	return store.Search(string(i.ID), i.Name, strings.Join(i.Location, "\n"))
}

// CreateItems implements store.ItemWriter.
func (w Writer) CreateItems(
	ctx context.Context, org firemode.OrgID, s firemode.SessionID, items []firemode.Item,
) error {
	_, err := WriteAll(ctx, w.sql, ItemTaken, InsertInto("items", "org, session_id, "+ItemColumns+", search"), items,
		func(i firemode.Item) ([]any, error) { return ItemValues(org, s, i) })
	return err
}

// SaveItemStates implements store.ItemWriter.
func (w Writer) SaveItemStates(
	ctx context.Context, org firemode.OrgID, s firemode.SessionID, items []firemode.Item,
) error {
	_, err := WriteAll(ctx, w.sql, Taken{},
		"UPDATE items SET state = ?, outcome = ?, missing = ?, conflicts = ? WHERE org = ? AND session_id = ? "+
			"AND id = ?", items,
		func(i firemode.Item) ([]any, error) {
			values, err := ItemStateValues(i)
			return append(values, org, s, i.ID), err
		})
	return err
}

// ItemKeys adds the keys of a list of items.
func ItemKeys(list []firemode.Item, err error) ([]store.Keyed[firemode.Item], error) {
	return Keyed(list, err, func(i firemode.Item) string { return store.Key(int64(i.Position), string(i.ID)) })
}

package postgres

import (
	"context"

	"firemode"
	"firemode/internal/store"
	"firemode/internal/store/row"
)

func (t readTx) Items(ctx context.Context, org firemode.OrgID, s firemode.SessionID, f store.ItemFilter, p store.Page) ([]store.Keyed[firemode.Item], error) {
	position, id, err := after(p)
	if err != nil {
		return nil, err
	}
	columns, scan := row.ItemRead(t.exact)
	list, err := all(ctx, t, scan, "SELECT "+columns+` FROM items WHERE org = $1 AND session_id = $2 AND (position, id) > ($3, $4)
		AND ($6 = '' OR level = $6) AND ($7 = '' OR system = $7) AND (cardinality($8::text[]) = 0 OR state = ANY($8))
		AND strpos(search, $9) > 0 ORDER BY position, id LIMIT $5`,
		org, s, position, id, p.Limit, f.Level, f.System, row.Strings(f.States), store.Fold(f.Text))
	return keyed(list, err, func(i firemode.Item) string { return store.Key(int64(i.Position), string(i.ID)) })
}

func (t readTx) ItemsByID(ctx context.Context, org firemode.OrgID, s firemode.SessionID, ids []firemode.ItemID) ([]firemode.Item, error) {
	return all(ctx, t, row.ScanItem, "SELECT "+row.ItemColumns+` FROM (SELECT DISTINCT unnest($3::text[]) AS asked) q
		CROSS JOIN LATERAL (SELECT * FROM items WHERE org = $1 AND session_id = $2 AND id = q.asked OFFSET 0) i`, org, s, row.Strings(ids))
}

func (t writeTx) CreateItems(ctx context.Context, org firemode.OrgID, s firemode.SessionID, items []firemode.Item) error {
	_, err := writeAll(ctx, t, row.ItemTaken, insertInto("items", "org, session_id, "+row.ItemColumns+", search"), items,
		func(i firemode.Item) ([]any, error) { return row.ItemValues(org, s, i) })
	t.inserted(len(items))
	return err
}

func (t writeTx) SaveItemStates(ctx context.Context, org firemode.OrgID, s firemode.SessionID, items []firemode.Item) error {
	_, err := writeAll(ctx, t, row.Taken{},
		"UPDATE items SET state = $1, outcome = $2, missing = $3, conflicts = $4 WHERE org = $5 AND session_id = $6 AND id = $7", items,
		func(i firemode.Item) ([]any, error) {
			values, err := row.ItemStateValues(i)
			return append(values, org, s, i.ID), err
		})
	return err
}

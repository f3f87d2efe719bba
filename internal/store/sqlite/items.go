package sqlite

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
	list, err := all(ctx, t, scan, "SELECT "+columns+` FROM items WHERE org = ?1 AND session_id = ?2 AND (position, id) > (?3, ?4)
		AND (?6 = '' OR level = ?6) AND (?7 = '' OR system = ?7) AND (?8 = '[]' OR state IN (SELECT value FROM json_each(?8)))
		AND (?9 = '' OR instr(search, ?9)) ORDER BY position, id LIMIT ?5`,
		org, s, position, id, p.Limit, f.Level, f.System, array(f.States), store.Fold(f.Text))
	return keyed(list, err, func(i firemode.Item) string { return store.Key(int64(i.Position), string(i.ID)) })
}

func (t readTx) ItemsByID(ctx context.Context, org firemode.OrgID, s firemode.SessionID, ids []firemode.ItemID) ([]firemode.Item, error) {
	return all(ctx, t, row.ScanItem,
		"SELECT "+row.ItemColumns+" FROM items WHERE org = ? AND session_id = ? AND id IN (SELECT value FROM json_each(?))", org, s, array(ids))
}

func (t writeTx) CreateItems(ctx context.Context, org firemode.OrgID, s firemode.SessionID, items []firemode.Item) error {
	for _, i := range items {
		values, err := row.ItemValues(org, s, i)
		if err != nil {
			return t.fail(err)
		}
		_, err = t.write(ctx, row.ItemTaken, "INSERT INTO items (org, session_id, "+row.ItemColumns+
			", search) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values...)
		if err != nil {
			return err
		}
	}
	return nil
}

func (t writeTx) SaveItemStates(ctx context.Context, org firemode.OrgID, s firemode.SessionID, items []firemode.Item) error {
	for _, i := range items {
		values, err := row.ItemStateValues(i)
		if err != nil {
			return t.fail(err)
		}
		err = t.exec(ctx, "UPDATE items SET state = ?, outcome = ?, missing = ?, conflicts = ? WHERE org = ? AND session_id = ? AND id = ?",
			append(values, org, s, i.ID)...)
		if err != nil {
			return err
		}
	}
	return nil
}

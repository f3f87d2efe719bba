package sqlite

import (
	"context"

	"firemode"
	"firemode/internal/store"
	"firemode/internal/store/row"
)

func (t readTx) Items(
	ctx context.Context, org firemode.OrgID, s firemode.SessionID, f store.ItemFilter, p store.Page,
) ([]store.Keyed[firemode.Item], error) {
	position, id, err := row.After(p)
	if err != nil {
		return nil, err
	}
	columns, scan := row.ItemRead(t.sql.exact)
	list, err := row.All(ctx, t.sql, scan, "SELECT "+columns+` FROM items WHERE org = ?1 AND session_id = ?2
		AND (position, id) > (?3, ?4)
		AND (?6 = '' OR level = ?6) AND (?7 = '' OR system = ?7) AND (?8 = '[]' OR state IN (SELECT value
		FROM json_each(?8)))
		AND (?9 = '' OR instr(search, ?9)) ORDER BY position, id LIMIT ?5`,
		org, s, position, id, p.Limit, f.Level, f.System, array(f.States), store.Fold(f.Text))
	return row.ItemKeys(list, err)
}

func (t readTx) ItemsByID(
	ctx context.Context, org firemode.OrgID, s firemode.SessionID, ids []firemode.ItemID,
) ([]firemode.Item, error) {
	return row.All(ctx, t.sql, row.ScanItem,
		"SELECT "+row.ItemColumns+" FROM items WHERE org = ? AND session_id = ? AND id IN (SELECT value "+
			"FROM json_each(?))", org, s, array(ids))
}

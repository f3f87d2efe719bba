package postgres

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
	list, err := row.All(ctx, t.sql, scan, "SELECT "+columns+` FROM items WHERE org = $1 AND session_id = $2
		AND (position, id) > ($3, $4)
		AND ($6 = '' OR level = $6) AND ($7 = '' OR system = $7) AND (cardinality($8::text[]) = 0 OR state = ANY($8))
		AND strpos(search, $9) > 0 ORDER BY position, id LIMIT $5`,
		org, s, position, id, p.Limit, f.Level, f.System, row.Strings(f.States), store.Fold(f.Text))
	return row.ItemKeys(list, err)
}

func (t readTx) ItemsByID(
	ctx context.Context, org firemode.OrgID, s firemode.SessionID, ids []firemode.ItemID,
) ([]firemode.Item, error) {
	return row.All(ctx, t.sql, row.ScanItem, lookUp("items", row.ItemColumns, "id"), org, s, row.Strings(ids))
}

// CreateItems adds the items and counts them for the statistics.
func (t writeTx) CreateItems(
	ctx context.Context, org firemode.OrgID, s firemode.SessionID, items []firemode.Item,
) error {
	t.inserted(len(items))
	return t.Writer.CreateItems(ctx, org, s, items)
}

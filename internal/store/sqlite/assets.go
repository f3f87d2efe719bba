package sqlite

import (
	"context"

	"firemode"
	"firemode/internal/store"
	"firemode/internal/store/row"
)

func (t readTx) Assets(
	ctx context.Context, org firemode.OrgID, b firemode.BuildingID, f store.AssetFilter, p store.Page,
) ([]store.Keyed[firemode.Asset], error) {
	list, err := row.All(ctx, t.sql, row.ScanAsset, row.SelectAssets+` AND id > ?3
		AND (?5 = '' OR system = ?5) AND (?6 = '' OR level = ?6) AND (?7 = '' OR type = ?7) AND (?8 = '' OR status = ?8)
		AND (?9 = '' OR instr(search, ?9)) ORDER BY id LIMIT ?4`,
		org, b, p.After, p.Limit, f.System, f.Level, f.Type, f.Status, store.Fold(f.Text))
	return row.AssetKeys(list, err)
}

func (t readTx) AssetsByID(
	ctx context.Context, org firemode.OrgID, b firemode.BuildingID, ids []firemode.AssetID,
) ([]firemode.Asset, error) {
	return row.All(ctx, t.sql, row.ScanAsset,
		row.SelectAssets+" AND id IN (SELECT value FROM json_each(?3))", org, b, array(ids))
}

func (t readTx) AssetBarcodes(
	ctx context.Context, org firemode.OrgID, b firemode.BuildingID, barcodes []string,
) (map[string]firemode.AssetID, error) {
	// The query repeats the condition of the partial index, so that the planner uses it.
	list, err := row.All(ctx, t.sql, row.ScanBarcode, `SELECT barcode, id FROM assets
		WHERE org = ? AND building_id = ? AND barcode <> '' AND barcode IN (SELECT value FROM json_each(?))`, org, b,
		array(barcodes))
	if err != nil {
		return nil, err
	}
	return row.Barcodes(list), nil
}

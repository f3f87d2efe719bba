package sqlite

import (
	"context"

	"firemode"
	"firemode/internal/store"
	"firemode/internal/store/row"
)

// chunk is how many rows the Each methods read at a time: no statement is open while their function runs, so that it may use
// the transaction.
const chunk = 500

const selectAssets = "SELECT " + row.AssetColumns + " FROM assets"

func (t readTx) Asset(ctx context.Context, org firemode.OrgID, b firemode.BuildingID, id firemode.AssetID) (firemode.Asset, error) {
	a, err := one(ctx, t, row.ScanAsset, selectAssets+" WHERE org = ? AND building_id = ? AND id = ?", org, b, id)
	return found(a, err, "asset")
}

func (t readTx) Assets(ctx context.Context, org firemode.OrgID, b firemode.BuildingID, f store.AssetFilter, p store.Page) ([]store.Keyed[firemode.Asset], error) {
	list, err := all(ctx, t, row.ScanAsset, selectAssets+` WHERE org = ?1 AND building_id = ?2 AND id > ?3
		AND (?5 = '' OR system = ?5) AND (?6 = '' OR level = ?6) AND (?7 = '' OR type = ?7) AND (?8 = '' OR status = ?8)
		AND (?9 = '' OR instr(search, ?9)) ORDER BY id LIMIT ?4`,
		org, b, p.After, p.Limit, f.System, f.Level, f.Type, f.Status, store.Fold(f.Text))
	return keyed(list, err, func(a firemode.Asset) string { return string(a.ID) })
}

func (t readTx) EachAsset(ctx context.Context, org firemode.OrgID, b firemode.BuildingID, fn func(firemode.Asset) error) error {
	var last firemode.AssetID
	for {
		list, err := all(ctx, t, row.ScanAsset,
			selectAssets+" WHERE org = ? AND building_id = ? AND id > ? ORDER BY id LIMIT ?", org, b, last, chunk)
		if err != nil || len(list) == 0 {
			return err
		}
		for _, a := range list {
			if err := fn(a); err != nil {
				return err
			}
			last = a.ID
		}
	}
}

func (t readTx) AssetsByID(ctx context.Context, org firemode.OrgID, b firemode.BuildingID, ids []firemode.AssetID) ([]firemode.Asset, error) {
	return all(ctx, t, row.ScanAsset,
		selectAssets+" WHERE org = ? AND building_id = ? AND id IN (SELECT value FROM json_each(?))", org, b, array(ids))
}

func (t readTx) AssetBarcodes(ctx context.Context, org firemode.OrgID, b firemode.BuildingID, barcodes []string) (map[string]firemode.AssetID, error) {
	// The partial index is used only where the query says what the index says.
	list, err := all(ctx, t, row.ScanBarcode, `SELECT barcode, id FROM assets
		WHERE org = ? AND building_id = ? AND barcode <> '' AND barcode IN (SELECT value FROM json_each(?))`, org, b, array(barcodes))
	if err != nil {
		return nil, err
	}
	return row.Barcodes(list), nil
}

func (t writeTx) CreateAssets(ctx context.Context, assets []firemode.Asset) error {
	for _, a := range assets {
		values, err := row.AssetValues(a)
		if err != nil {
			return t.fail(err)
		}
		_, err = t.write(ctx, row.AssetTaken, "INSERT INTO assets ("+row.AssetColumns+
			", search) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values...)
		if err != nil {
			return err
		}
	}
	return nil
}

func (t writeTx) UpdateAssets(ctx context.Context, assets []firemode.Asset) error {
	// First let go of the barcodes that move, so that two assets can swap theirs.
	for _, a := range assets {
		err := t.exec(ctx, "UPDATE assets SET barcode = '' WHERE org = ? AND building_id = ? AND id = ? AND barcode NOT IN ('', ?)",
			a.Org, a.Building, a.ID, a.Barcode)
		if err != nil {
			return err
		}
	}
	for _, a := range assets {
		n, err := t.write(ctx, row.AssetTaken, `UPDATE assets SET type = ?, description = ?, system = ?, level = ?, location = ?,
			make = ?, model = ?, serial = ?, manufactured = ?, installed = ?, last_pressure_test = ?, barcode = ?, status = ?,
			notes = ?, updated_at = ?, search = ?, version = version + 1
			WHERE org = ? AND building_id = ? AND id = ? AND version = ?`,
			append(row.AssetChanges(a), a.Org, a.Building, a.ID, a.Version)...)
		if err := t.assetChanged(ctx, a, n, err); err != nil {
			return err
		}
	}
	return nil
}

func (t writeTx) PutBaselines(ctx context.Context, a firemode.Asset) error {
	baselines, err := store.JSON(a.Baselines)
	if err != nil {
		return t.fail(err)
	}
	n, err := t.write(ctx, row.Taken{},
		"UPDATE assets SET baselines = ?, version = version + 1 WHERE org = ? AND building_id = ? AND id = ? AND version = ?",
		baselines, a.Org, a.Building, a.ID, a.Version)
	return t.assetChanged(ctx, a, n, err)
}

func (t writeTx) assetChanged(ctx context.Context, a firemode.Asset, n int64, err error) error {
	return t.changed(n, err, "asset "+string(a.ID), func() error {
		_, err := t.Asset(ctx, a.Org, a.Building, a.ID)
		return err
	})
}

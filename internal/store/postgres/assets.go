package postgres

import (
	"cmp"
	"context"
	"slices"

	"firemode"
	"firemode/internal/store"
	"firemode/internal/store/row"
)

// chunk is how many rows the Each methods read at a time: no statement is open while their function runs, so that it may use
// the transaction.
const chunk = 500

const selectAssets = "SELECT " + row.AssetColumns + " FROM assets"

func (t readTx) Asset(ctx context.Context, org firemode.OrgID, b firemode.BuildingID, id firemode.AssetID) (firemode.Asset, error) {
	a, err := one(ctx, t, row.ScanAsset, selectAssets+" WHERE org = $1 AND building_id = $2 AND id = $3", org, b, id)
	return found(a, err, "asset")
}

func (t readTx) Assets(ctx context.Context, org firemode.OrgID, b firemode.BuildingID, f store.AssetFilter, p store.Page) ([]store.Keyed[firemode.Asset], error) {
	list, err := all(ctx, t, row.ScanAsset, selectAssets+` WHERE org = $1 AND building_id = $2 AND id > $3
		AND ($5 = '' OR system = $5) AND ($6 = '' OR level = $6) AND ($7 = '' OR type = $7) AND ($8 = '' OR status = $8)
		AND strpos(search, $9) > 0 ORDER BY id LIMIT $4`,
		org, b, p.After, p.Limit, f.System, f.Level, f.Type, f.Status, store.Fold(f.Text))
	return keyed(list, err, func(a firemode.Asset) string { return string(a.ID) })
}

func (t readTx) EachAsset(ctx context.Context, org firemode.OrgID, b firemode.BuildingID, fn func(firemode.Asset) error) error {
	var last firemode.AssetID
	for {
		list, err := all(ctx, t, row.ScanAsset,
			selectAssets+" WHERE org = $1 AND building_id = $2 AND id > $3 ORDER BY id LIMIT $4", org, b, last, chunk)
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
	return all(ctx, t, row.ScanAsset, selectAssets+" WHERE org = $1 AND building_id = $2 AND id = ANY($3)", org, b, row.Strings(ids))
}

func (t readTx) AssetBarcodes(ctx context.Context, org firemode.OrgID, b firemode.BuildingID, barcodes []string) (map[string]firemode.AssetID, error) {
	// The partial index is used only where the query says what the index says.
	list, err := all(ctx, t, row.ScanBarcode,
		"SELECT barcode, id FROM assets WHERE org = $1 AND building_id = $2 AND barcode <> '' AND barcode = ANY($3)", org, b, row.Strings(barcodes))
	if err != nil {
		return nil, err
	}
	return row.Barcodes(list), nil
}

// lockRegisters keeps the promise of LockBuilding to others: whoever writes to a register takes its building's lock.
func (t writeTx) lockRegisters(ctx context.Context, assets []firemode.Asset) error {
	type register struct {
		org      firemode.OrgID
		building firemode.BuildingID
	}
	var registers []register
	for _, a := range assets {
		registers = append(registers, register{a.Org, a.Building})
	}
	slices.SortFunc(registers, func(a, b register) int {
		return cmp.Or(cmp.Compare(a.org, b.org), cmp.Compare(a.building, b.building))
	})
	for _, r := range slices.Compact(registers) {
		if _, err := t.LockBuilding(ctx, r.org, r.building); err != nil {
			return t.fail(err)
		}
	}
	return nil
}

func (t writeTx) CreateAssets(ctx context.Context, assets []firemode.Asset) error {
	if err := t.lockRegisters(ctx, assets); err != nil {
		return err
	}
	_, err := writeAll(ctx, t, row.AssetTaken, insertInto("assets", row.AssetColumns+", search"), assets, row.AssetValues)
	return err
}

func (t writeTx) UpdateAssets(ctx context.Context, assets []firemode.Asset) error {
	if err := t.lockRegisters(ctx, assets); err != nil {
		return err
	}
	// First let go of the barcodes that move, so that two assets can swap theirs.
	_, err := writeAll(ctx, t, row.Taken{},
		"UPDATE assets SET barcode = '' WHERE org = $1 AND building_id = $2 AND id = $3 AND barcode NOT IN ('', $4)", assets,
		func(a firemode.Asset) ([]any, error) { return []any{a.Org, a.Building, a.ID, a.Barcode}, nil })
	if err != nil {
		return err
	}
	idle, err := writeAll(ctx, t, row.AssetTaken, `UPDATE assets SET type = $1, description = $2, system = $3, level = $4, location = $5,
		make = $6, model = $7, serial = $8, manufactured = $9, installed = $10, last_pressure_test = $11, barcode = $12, status = $13,
		notes = $14, updated_at = $15, search = $16, version = version + 1
		WHERE org = $17 AND building_id = $18 AND id = $19 AND version = $20`, assets,
		func(a firemode.Asset) ([]any, error) {
			return append(row.AssetChanges(a), a.Org, a.Building, a.ID, a.Version), nil
		})
	if err != nil || idle < 0 {
		return err
	}
	return t.assetChanged(ctx, assets[idle])
}

func (t writeTx) PutBaselines(ctx context.Context, a firemode.Asset) error {
	baselines, err := store.JSON(a.Baselines)
	if err != nil {
		return t.fail(err)
	}
	if err := t.lockRegisters(ctx, []firemode.Asset{a}); err != nil {
		return err
	}
	n, err := t.write(ctx, row.Taken{},
		"UPDATE assets SET baselines = $1, version = version + 1 WHERE org = $2 AND building_id = $3 AND id = $4 AND version = $5",
		baselines, a.Org, a.Building, a.ID, a.Version)
	if err != nil || n > 0 {
		return err
	}
	return t.assetChanged(ctx, a)
}

func (t writeTx) assetChanged(ctx context.Context, a firemode.Asset) error {
	return t.changed("asset "+string(a.ID), func() error {
		_, err := t.Asset(ctx, a.Org, a.Building, a.ID)
		return err
	})
}

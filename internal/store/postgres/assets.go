package postgres

import (
	"cmp"
	"context"
	"slices"

	"firemode"
	"firemode/internal/store"
	"firemode/internal/store/row"
)

func (t readTx) Assets(
	ctx context.Context, org firemode.OrgID, b firemode.BuildingID, f store.AssetFilter, p store.Page,
) ([]store.Keyed[firemode.Asset], error) {
	list, err := row.All(ctx, t.sql, row.ScanAsset, row.SelectAssets+` AND id > ?3
		AND (?5 = '' OR system = ?5) AND (?6 = '' OR level = ?6) AND (?7 = '' OR type = ?7) AND (?8 = '' OR status = ?8)
		AND strpos(search, ?9) > 0 ORDER BY id LIMIT ?4`,
		org, b, p.After, p.Limit, f.System, f.Level, f.Type, f.Status, store.Fold(f.Text))
	return row.AssetKeys(list, err)
}

func (t readTx) AssetsByID(
	ctx context.Context, org firemode.OrgID, b firemode.BuildingID, ids []firemode.AssetID,
) ([]firemode.Asset, error) {
	return row.All(ctx, t.sql, row.ScanAsset, row.SelectAssets+" AND id = ANY(?3)", org, b, row.Strings(ids))
}

func (t readTx) AssetBarcodes(
	ctx context.Context, org firemode.OrgID, b firemode.BuildingID, barcodes []string,
) (map[string]firemode.AssetID, error) {
	// The query repeats the condition of the partial index, so that the planner uses it.
	list, err := row.All(ctx, t.sql, row.ScanBarcode,
		"SELECT barcode, id FROM assets WHERE org = $1 AND building_id = $2 AND barcode <> '' AND barcode = ANY($3)",
		org, b, row.Strings(barcodes))
	if err != nil {
		return nil, err
	}
	return row.Barcodes(list), nil
}

// lockRegisters takes the locks of LockBuilding that writing to registers needs.
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
			return t.sql.Fail(err)
		}
	}
	return nil
}

// CreateAssets locks the registers and adds the assets.
func (t writeTx) CreateAssets(ctx context.Context, assets []firemode.Asset) error {
	if err := t.lockRegisters(ctx, assets); err != nil {
		return err
	}
	return t.Writer.CreateAssets(ctx, assets)
}

// UpdateAssets locks the registers and writes the assets.
func (t writeTx) UpdateAssets(ctx context.Context, assets []firemode.Asset) error {
	if err := t.lockRegisters(ctx, assets); err != nil {
		return err
	}
	return t.Writer.UpdateAssets(ctx, assets)
}

// PutBaselines locks the register and writes the baselines.
func (t writeTx) PutBaselines(ctx context.Context, a firemode.Asset) error {
	if err := t.lockRegisters(ctx, []firemode.Asset{a}); err != nil {
		return err
	}
	return t.Writer.PutBaselines(ctx, a)
}

package row

import (
	"context"

	"firemode"
	"firemode/internal/store"
)

// AssetColumns are those of table assets, but for search, which follows from them.
const AssetColumns = "org, building_id, id, type, description, system, level, location, make, model, serial, " +
	"manufactured, installed, " +
	"last_pressure_test, barcode, status, notes, baselines, version, created_at, updated_at"

// AssetTaken says what CreateAssets or UpdateAssets found taken.
var AssetTaken = Taken{
	Primary: "an asset with this id is in the register already",
	Unique:  "this barcode is on another asset of the building",
}

// AssetValues are in the order of AssetColumns, then search.
func AssetValues(a firemode.Asset) ([]any, error) {
	var e encoder
	values := []any{
		a.Org, a.Building, a.ID, a.Type, a.Description, a.System, a.Level, a.Location, a.Make, a.Model, a.Serial,
		a.Manufactured,
		a.Installed, a.LastPressureTest, a.Barcode, a.Status, a.Notes, e.json(a.Baselines), a.Version,
		store.Micros(a.CreatedAt), store.Micros(a.UpdatedAt), assetSearch(a),
	}
	return values, e.err
}

// AssetChanges are what UpdateAssets writes: type to notes of AssetColumns, updated_at, search.
func AssetChanges(a firemode.Asset) []any {
	return []any{
		a.Type, a.Description, a.System, a.Level, a.Location, a.Make, a.Model, a.Serial, a.Manufactured, a.Installed,
		a.LastPressureTest, a.Barcode, a.Status, a.Notes, store.Micros(a.UpdatedAt), assetSearch(a),
	}
}

func assetSearch(a firemode.Asset) string {
	return store.Search(string(a.ID), a.Description, a.Location, a.Make, a.Model, a.Serial, a.Barcode, a.Notes)
}

// ScanAsset reads AssetColumns.
func ScanAsset(s Scanner) (a firemode.Asset, err error) {
	err = scan(s, "assets", &a.Org, &a.Building, &a.ID, &a.Type, &a.Description, &a.System, &a.Level, &a.Location,
		&a.Make, &a.Model,
		&a.Serial, &a.Manufactured, &a.Installed, &a.LastPressureTest, &a.Barcode, &a.Status, &a.Notes,
		store.JSONColumn{Into: &a.Baselines}, &a.Version, store.TimeColumn{Into: &a.CreatedAt},
		store.TimeColumn{Into: &a.UpdatedAt})
	return a, err
}

// Barcode is a barcode in use and the asset that has it.
type Barcode struct {
	Barcode string
	Asset   firemode.AssetID
}

// ScanBarcode reads barcode and id.
func ScanBarcode(s Scanner) (b Barcode, err error) {
	err = scan(s, "assets", &b.Barcode, &b.Asset)
	return b, err
}

// Barcodes returns list as a map.
func Barcodes(list []Barcode) map[string]firemode.AssetID {
	m := make(map[string]firemode.AssetID, len(list))
	for _, b := range list {
		m[b.Barcode] = b.Asset
	}
	return m
}

// SelectAssets selects AssetColumns of the register of a building.
const SelectAssets = "SELECT " + AssetColumns + " FROM assets WHERE org = ?1 AND building_id = ?2"

// Asset implements store.AssetReader.
func (r Reader) Asset(
	ctx context.Context, org firemode.OrgID, b firemode.BuildingID, id firemode.AssetID,
) (firemode.Asset, error) {
	a, err := One(ctx, r.sql, ScanAsset, SelectAssets+" AND id = ?3", org, b, id)
	return Found(a, err, "asset")
}

// EachAsset implements store.AssetReader.
func (r Reader) EachAsset(
	ctx context.Context, org firemode.OrgID, b firemode.BuildingID, fn func(firemode.Asset) error,
) error {
	return EachPage(chunk, func(last *firemode.Asset) ([]firemode.Asset, error) {
		var after firemode.AssetID
		if last != nil {
			after = last.ID
		}
		return All(ctx, r.sql, ScanAsset, SelectAssets+" AND id > ?3 ORDER BY id LIMIT ?4", org, b, after, chunk)
	}, fn)
}

// AssetKeys adds the keys of a list of assets.
func AssetKeys(list []firemode.Asset, err error) ([]store.Keyed[firemode.Asset], error) {
	return Keyed(list, err, func(a firemode.Asset) string { return string(a.ID) })
}

// CreateAssets implements store.AssetWriter.
func (w Writer) CreateAssets(ctx context.Context, assets []firemode.Asset) error {
	_, err := WriteAll(ctx, w.sql, AssetTaken, InsertInto("assets", AssetColumns+", search"), assets, AssetValues)
	return err
}

// UpdateAssets implements store.AssetWriter. Barcodes that move are taken off first, so that two
// assets can swap theirs.
func (w Writer) UpdateAssets(ctx context.Context, assets []firemode.Asset) error {
	_, err := WriteAll(ctx, w.sql, Taken{},
		"UPDATE assets SET barcode = '' WHERE org = ? AND building_id = ? AND id = ? AND barcode NOT IN ('', ?)",
		assets,
		func(a firemode.Asset) ([]any, error) { return []any{a.Org, a.Building, a.ID, a.Barcode}, nil })
	if err != nil {
		return err
	}
	idle, err := WriteAll(ctx, w.sql, AssetTaken, `UPDATE assets SET type = ?, description = ?, system = ?, level = ?,
		location = ?,
		make = ?, model = ?, serial = ?, manufactured = ?, installed = ?, last_pressure_test = ?, barcode = ?,
		status = ?,
		notes = ?, updated_at = ?, search = ?, version = version + 1
		WHERE org = ? AND building_id = ? AND id = ? AND version = ?`, assets,
		func(a firemode.Asset) ([]any, error) {
			return append(AssetChanges(a), a.Org, a.Building, a.ID, a.Version), nil
		})
	if err != nil || idle < 0 {
		return err
	}
	return w.assetChanged(ctx, assets[idle], 0, nil)
}

// PutBaselines implements store.AssetWriter.
func (w Writer) PutBaselines(ctx context.Context, a firemode.Asset) error {
	baselines, err := store.JSON(a.Baselines)
	if err != nil {
		return w.sql.Fail(err)
	}
	n, err := w.sql.Write(ctx, Taken{},
		"UPDATE assets SET baselines = ?, version = version + 1 WHERE org = ? AND building_id = ? AND id = ? "+
			"AND version = ?",
		baselines, a.Org, a.Building, a.ID, a.Version)
	return w.assetChanged(ctx, a, n, err)
}

func (w Writer) assetChanged(ctx context.Context, a firemode.Asset, n int64, err error) error {
	return Changed(w.sql, n, err, "asset "+string(a.ID), func() error {
		_, err := w.read.Asset(ctx, a.Org, a.Building, a.ID)
		return err
	})
}

package row

import (
	"strings"

	"firemode"
	"firemode/internal/store"
)

// BuildingColumns are those of table buildings, but for name_key, address_key and search, which follow from them.
const BuildingColumns = "org, id, name, address, metadata, owners, status, version, created_at, creation"

// BuildingTaken says what CreateBuilding or UpdateBuilding found taken.
var BuildingTaken = Taken{
	Primary: "a building with this id exists already",
	Unique:  "a building of this name and address exists already",
}

// BuildingValues are in the order of BuildingColumns, then name_key, address_key, search.
func BuildingValues(b firemode.Building) ([]any, error) {
	var e encoder
	values := []any{
		b.Org, b.ID, b.Name, b.Address, e.json(b.Metadata), e.json(b.Owners), b.Status, b.Version,
		store.Micros(b.CreatedAt), blob(b.Creation),
		nameKey(b.Name), nameKey(b.Address), store.Search(b.Name, b.Address),
	}
	return values, e.err
}

func nameKey(s string) string { return store.Fold(strings.TrimSpace(s)) }

// BuildingChanges are what UpdateBuilding writes: name, address, metadata, owners, status, name_key, address_key, search.
func BuildingChanges(b firemode.Building) ([]any, error) {
	v, err := BuildingValues(b)
	return append(v[2:7:7], v[10:]...), err
}

// ScanBuilding reads BuildingColumns.
func ScanBuilding(s Scanner) (b firemode.Building, err error) {
	err = scan(s, "buildings", &b.Org, &b.ID, &b.Name, &b.Address, store.JSONColumn{Into: &b.Metadata}, store.JSONColumn{Into: &b.Owners},
		&b.Status, &b.Version, store.TimeColumn{Into: &b.CreatedAt}, &b.Creation)
	return b, err
}

// AssetColumns are those of table assets, but for search, which follows from them.
const AssetColumns = "org, building_id, id, type, description, system, level, location, make, model, serial, manufactured, installed, " +
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
		a.Org, a.Building, a.ID, a.Type, a.Description, a.System, a.Level, a.Location, a.Make, a.Model, a.Serial, a.Manufactured,
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
	err = scan(s, "assets", &a.Org, &a.Building, &a.ID, &a.Type, &a.Description, &a.System, &a.Level, &a.Location, &a.Make, &a.Model,
		&a.Serial, &a.Manufactured, &a.Installed, &a.LastPressureTest, &a.Barcode, &a.Status, &a.Notes,
		store.JSONColumn{Into: &a.Baselines}, &a.Version, store.TimeColumn{Into: &a.CreatedAt}, store.TimeColumn{Into: &a.UpdatedAt})
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

package store

import (
	"context"

	"firemode"
)

// AssetFilter narrows a list of assets.
type AssetFilter struct {
	System, Level, Type, Status string // "" for any
	// part of id, description, location, make, model, serial, barcode or notes, any case
	Text string
}

// AssetReader reads a building's register.
type AssetReader interface {
	// Asset returns the asset; CodeNotFound if there is none.
	Asset(
		ctx context.Context, org firemode.OrgID, b firemode.BuildingID, id firemode.AssetID,
	) (firemode.Asset, error)
	// Assets lists by id.
	Assets(
		ctx context.Context, org firemode.OrgID, b firemode.BuildingID, f AssetFilter, p Page,
	) ([]Keyed[firemode.Asset], error)
	// EachAsset calls fn for every asset by id, and stops at its first error. It reads the register
	// in parts. fn may use the transaction.
	EachAsset(ctx context.Context, org firemode.OrgID, b firemode.BuildingID, fn func(firemode.Asset) error) error
	// AssetsByID returns those of ids that exist, in any order.
	AssetsByID(
		ctx context.Context, org firemode.OrgID, b firemode.BuildingID, ids []firemode.AssetID,
	) ([]firemode.Asset, error)
	// AssetBarcodes returns, for those of barcodes that are in use in the building, the asset that
	// has it.
	AssetBarcodes(
		ctx context.Context, org firemode.OrgID, b firemode.BuildingID, barcodes []string,
	) (map[string]firemode.AssetID, error)
}

// AssetWriter writes a building's register. Each method fails as a whole.
type AssetWriter interface {
	// CreateAssets adds assets with their baselines. CodeConflict if an id or a barcode is taken,
	// CodeNotFound if there is no such building.
	CreateAssets(ctx context.Context, assets []firemode.Asset) error
	// UpdateAssets writes all fields but Org, Building, ID, CreatedAt and Baselines of assets whose
	// Version is the one given, and raises their versions. CodeChanged if one has another version,
	// CodeConflict if a barcode is taken.
	UpdateAssets(ctx context.Context, assets []firemode.Asset) error
	// PutBaselines replaces the baselines of an asset and raises its version; CodeChanged if the
	// version is another.
	PutBaselines(ctx context.Context, a firemode.Asset) error
}

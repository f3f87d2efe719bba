package store

import (
	"context"

	"firemode"
)

// BuildingFilter narrows a list of buildings.
type BuildingFilter struct {
	Owner firemode.UserID // "" for any; else only buildings that name this owner
	Text  string          // part of name or address, any case
}

// BuildingReader reads buildings.
type BuildingReader interface {
	Building(ctx context.Context, org firemode.OrgID, id firemode.BuildingID) (firemode.Building, error)
	// Buildings lists by (created, id), oldest first.
	Buildings(ctx context.Context, org firemode.OrgID, f BuildingFilter, p Page) ([]Keyed[firemode.Building], error)
}

// BuildingWriter writes buildings.
type BuildingWriter interface {
	// CreateBuilding is CodeConflict if the id is taken, or name and address together (compared without case and outer space).
	CreateBuilding(ctx context.Context, b firemode.Building) error
	// UpdateBuilding writes all but Org, ID, CreatedAt and Creation of the building whose Version is b.Version, and raises the version.
	UpdateBuilding(ctx context.Context, b firemode.Building) error
	// LockBuilding keeps others from changing the building and its register until the transaction ends.
	LockBuilding(ctx context.Context, org firemode.OrgID, id firemode.BuildingID) (firemode.Building, error)
}

// AssetFilter narrows a list of assets.
type AssetFilter struct {
	System, Level, Type, Status string // "" for any
	Text                        string // part of id, description, location, make, model, serial, barcode or notes, any case
}

// AssetReader reads a building's register.
type AssetReader interface {
	Asset(ctx context.Context, org firemode.OrgID, b firemode.BuildingID, id firemode.AssetID) (firemode.Asset, error)
	// Assets lists by id.
	Assets(ctx context.Context, org firemode.OrgID, b firemode.BuildingID, f AssetFilter, p Page) ([]Keyed[firemode.Asset], error)
	// EachAsset calls fn for every asset by id, without holding them all in memory, and stops at its first error.
	EachAsset(ctx context.Context, org firemode.OrgID, b firemode.BuildingID, fn func(firemode.Asset) error) error
	// AssetsByID returns those of ids that exist, in any order.
	AssetsByID(ctx context.Context, org firemode.OrgID, b firemode.BuildingID, ids []firemode.AssetID) ([]firemode.Asset, error)
	// AssetBarcodes returns, for those of barcodes that are in use in the building, the asset that has it.
	AssetBarcodes(ctx context.Context, org firemode.OrgID, b firemode.BuildingID, barcodes []string) (map[string]firemode.AssetID, error)
}

// AssetWriter writes a building's register.
type AssetWriter interface {
	// CreateAssets adds assets with their baselines; CodeConflict if an id or a barcode is taken.
	CreateAssets(ctx context.Context, assets []firemode.Asset) error
	// UpdateAssets writes all but Org, Building, ID, CreatedAt and Baselines of assets whose Version is the one given, and
	// raises their versions. CodeChanged if one has another version, CodeConflict if a barcode is taken.
	UpdateAssets(ctx context.Context, assets []firemode.Asset) error
	// PutBaselines replaces the baselines of an asset and raises its version; CodeChanged if the version is another.
	PutBaselines(ctx context.Context, a firemode.Asset) error
}

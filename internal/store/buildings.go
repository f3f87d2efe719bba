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
	// Building returns the building; CodeNotFound if there is none.
	Building(ctx context.Context, org firemode.OrgID, id firemode.BuildingID) (firemode.Building, error)
	// Buildings lists by (created, id), oldest first.
	Buildings(ctx context.Context, org firemode.OrgID, f BuildingFilter, p Page) ([]Keyed[firemode.Building], error)
}

// BuildingWriter writes buildings.
type BuildingWriter interface {
	// CreateBuilding adds a building. CodeConflict if the id is taken, or name and address
	// together: they are compared without case and outer space.
	CreateBuilding(ctx context.Context, b firemode.Building) error
	// UpdateBuilding writes all fields but Org, ID, CreatedAt and Creation of the building whose
	// Version is b.Version, and raises the version. CodeChanged if the version is another,
	// CodeConflict as for CreateBuilding.
	UpdateBuilding(ctx context.Context, b firemode.Building) error
	// LockBuilding returns the building, and keeps other writers from it and from its register
	// until the transaction ends. CodeNotFound if there is none.
	LockBuilding(ctx context.Context, org firemode.OrgID, id firemode.BuildingID) (firemode.Building, error)
}

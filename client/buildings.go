package client

import (
	"context"
	"iter"
	"time"

	"firemode"
)

// Building is a site that is serviced.
type Building struct {
	ID        firemode.BuildingID `json:"building_id"`
	Name      string              `json:"site_name"`
	Address   string              `json:"site_address"`
	Metadata  map[string]any      `json:"metadata"`
	Owners    []firemode.UserID   `json:"owner_ids"`
	Status    string              `json:"status"`
	CreatedAt time.Time           `json:"created_at"`
	ETag      string              `json:"-"`
}

// NewBuilding is a building to be made.
type NewBuilding struct {
	ID       firemode.BuildingID `json:"building_id,omitzero"` // "" to have one minted
	Name     string              `json:"site_name"`
	Address  string              `json:"site_address"`
	Metadata map[string]any      `json:"metadata,omitzero"`
	Owners   []firemode.UserID   `json:"owner_ids,omitzero"`
}

// BuildingPatch changes a building; nil fields stay as they are.
type BuildingPatch struct {
	Name     *string            `json:"site_name,omitzero"`
	Address  *string            `json:"site_address,omitzero"`
	Metadata *map[string]any    `json:"metadata,omitzero"`
	Owners   *[]firemode.UserID `json:"owner_ids,omitzero"`
	Status   *string            `json:"status,omitzero"`
}

// CreateBuilding adds a building.
func (c *Client) CreateBuilding(ctx context.Context, n NewBuilding) (b Building, err error) {
	err = c.fetch(ctx, post(path("buildings"), n), &b, &b.ETag)
	return b, err
}

// Buildings lists buildings, oldest first; text is a part of name or address, "" for all.
func (c *Client) Buildings(ctx context.Context, text string) iter.Seq2[Building, error] {
	return walk[Building](ctx, c, path("buildings"), values("q", text))
}

// Building returns one building.
func (c *Client) Building(ctx context.Context, id firemode.BuildingID) (b Building, err error) {
	err = c.fetch(ctx, get(path("buildings", string(id)), nil), &b, &b.ETag)
	return b, err
}

// PatchBuilding changes a building; etag "" is any version.
func (c *Client) PatchBuilding(ctx context.Context, id firemode.BuildingID, etag string, p BuildingPatch) (b Building, err error) {
	err = c.fetch(ctx, patch(path("buildings", string(id)), etag, p), &b, &b.ETag)
	return b, err
}

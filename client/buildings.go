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

// NewBuilding is a building to create.
type NewBuilding struct {
	ID       firemode.BuildingID `json:"building_id,omitzero"` // "" for a generated one
	Name     string              `json:"site_name"`
	Address  string              `json:"site_address"`
	Metadata map[string]any      `json:"metadata,omitzero"`
	Owners   []firemode.UserID   `json:"owner_ids,omitzero"`
}

// CreateBuilding adds a building.
func (c *Client) CreateBuilding(ctx context.Context, n NewBuilding) (b Building, err error) {
	err = c.fetch(ctx, post(path("buildings"), n), &b, &b.ETag)
	return b, err
}

// Buildings lists the buildings whose name or address contains text, oldest first; "" lists all.
func (c *Client) Buildings(ctx context.Context, text string) iter.Seq2[Building, error] {
	return list[Building](ctx, c, path("buildings"), values("q", text))
}

// Building returns one building.
func (c *Client) Building(ctx context.Context, id firemode.BuildingID) (b Building, err error) {
	err = c.fetch(ctx, get(path("buildings", string(id)), nil), &b, &b.ETag)
	return b, err
}

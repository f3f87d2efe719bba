package client

import (
	"context"
	"iter"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"firemode"
)

// Asset is one row of the register of a building.
type Asset struct {
	NewAsset
	Building  firemode.BuildingID `json:"building_id"`
	System    string              `json:"system"`
	Baselines []Baseline          `json:"baselines"`
	CreatedAt time.Time           `json:"created_at"`
	UpdatedAt time.Time           `json:"updated_at"`
	ETag      string              `json:"-"`
}

// NewAsset is an asset to create. Dates are "2006-01-02", or "" when not known.
type NewAsset struct {
	ID               firemode.AssetID `json:"asset_id"`
	Type             string           `json:"asset_type"`
	Description      string           `json:"description,omitzero"`
	Level            string           `json:"level,omitzero"`
	Location         string           `json:"location,omitzero"`
	Make             string           `json:"make,omitzero"`
	Model            string           `json:"model,omitzero"`
	Serial           string           `json:"serial,omitzero"`
	Manufactured     string           `json:"manufactured,omitzero"`
	Installed        string           `json:"installed,omitzero"`
	LastPressureTest string           `json:"last_pressure_test,omitzero"`
	Barcode          string           `json:"barcode,omitzero"`
	Status           string           `json:"status,omitzero"`
	Notes            string           `json:"notes,omitzero"`
}

// AssetFilter narrows a list of assets; an empty field matches everything.
type AssetFilter struct {
	System, Level, Type, Status string
	Text                        string // part of any text field, in any case
}

// Baseline is the reading with which later readings are compared.
type Baseline struct {
	Measurement string         `json:"measurement"`
	Value       jsontext.Value `json:"value"` // a number
	Unit        string         `json:"unit"`
	Source      string         `json:"source"` // the document that states it
	Date        string         `json:"date"`
}

// CreateAsset adds an asset to a building.
func (c *Client) CreateAsset(ctx context.Context, b firemode.BuildingID, n NewAsset) (a Asset, err error) {
	err = c.fetch(ctx, post(assets(b), n), &a, &a.ETag)
	return a, err
}

// Assets lists the register of a building, by id.
func (c *Client) Assets(ctx context.Context, b firemode.BuildingID, f AssetFilter) iter.Seq2[Asset, error] {
	query := values("system", f.System, "level", f.Level, "asset_type", f.Type, "status", f.Status, "q", f.Text)
	return list[Asset](ctx, c, assets(b), query)
}

// Asset returns one asset.
func (c *Client) Asset(ctx context.Context, b firemode.BuildingID, id firemode.AssetID) (a Asset, err error) {
	err = c.fetch(ctx, get(assets(b, string(id)), nil), &a, &a.ETag)
	return a, err
}

func assets(b firemode.BuildingID, rest ...string) string {
	return path(append([]string{"buildings", string(b), "assets"}, rest...)...)
}

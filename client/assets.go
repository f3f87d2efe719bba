package client

import (
	"context"
	"iter"
	"net/http"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"firemode"
)

// Asset is one row of a building's register.
type Asset struct {
	NewAsset
	Building  firemode.BuildingID `json:"building_id"`
	System    string              `json:"system"`
	Baselines []Baseline          `json:"baselines"`
	CreatedAt time.Time           `json:"created_at"`
	UpdatedAt time.Time           `json:"updated_at"`
	ETag      string              `json:"-"`
}

// NewAsset is what a client says about an asset. Dates are "2006-01-02" or "".
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

// AssetPatch names the fields of NewAsset to change, by their JSON names; "" clears one.
type AssetPatch map[string]string

// AssetFilter narrows a list of assets; "" is any.
type AssetFilter struct {
	System, Level, Type, Status string
	Text                        string // part of any of the asset's words, any case
}

// Baseline is the reading against which later ones are judged.
type Baseline struct {
	Measurement string         `json:"measurement"`
	Value       jsontext.Value `json:"value"` // a number
	Unit        string         `json:"unit"`
	Source      string         `json:"source"` // the document it comes from
	Date        string         `json:"date"`
}

// CreateAsset adds an asset.
func (c *Client) CreateAsset(ctx context.Context, b firemode.BuildingID, n NewAsset) (a Asset, err error) {
	err = c.fetch(ctx, post(assets(b), n), &a, &a.ETag)
	return a, err
}

// Assets lists the register, by id.
func (c *Client) Assets(ctx context.Context, b firemode.BuildingID, f AssetFilter) iter.Seq2[Asset, error] {
	query := values("system", f.System, "level", f.Level, "asset_type", f.Type, "status", f.Status, "q", f.Text)
	return walk[Asset](ctx, c, assets(b), query)
}

// Asset returns one asset.
func (c *Client) Asset(ctx context.Context, b firemode.BuildingID, id firemode.AssetID) (a Asset, err error) {
	err = c.fetch(ctx, get(assets(b, string(id)), nil), &a, &a.ETag)
	return a, err
}

// PatchAsset changes an asset; etag "" is any version.
func (c *Client) PatchAsset(ctx context.Context, a Asset, etag string, p AssetPatch) (changed Asset, err error) {
	err = c.fetch(ctx, patch(assets(a.Building, string(a.ID)), etag, p), &changed, &changed.ETag)
	return changed, err
}

// PutBaselines replaces the baseline readings of an asset.
func (c *Client) PutBaselines(ctx context.Context, b firemode.BuildingID, id firemode.AssetID, list []Baseline) (a Asset, err error) {
	q := call{method: http.MethodPut, path: assets(b, string(id), "baselines"), body: map[string]any{"baselines": list}}
	err = c.fetch(ctx, q, &a, &a.ETag)
	return a, err
}

func assets(b firemode.BuildingID, rest ...string) string {
	return path(append([]string{"buildings", string(b), "assets"}, rest...)...)
}

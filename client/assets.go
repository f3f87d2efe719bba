package client

import (
	"context"
	"io"
	"iter"
	"net/http"
	"strconv"
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

// ImportReport counts what an import did with the rows of a register, and lists the invalid ones.
type ImportReport struct {
	Created   int           `json:"created"`
	Updated   int           `json:"updated"`
	Unchanged int           `json:"unchanged"`
	Rejected  []RejectedRow `json:"rejected"`
	Omitted   int           `json:"rejected_omitted"` // invalid rows beyond those listed
}

// RejectedRow is a row that was not imported.
type RejectedRow struct {
	Line    int    `json:"line"` // of the file, from 1, where the row starts
	AssetID string `json:"asset_id"`
	Reason  string `json:"reason"`
}

// ImportAssets streams a CSV file into the register of a building; a dry run writes nothing.
// Invalid rows are reported, the rest are imported. The client retries only if the file is an
// io.Seeker, such as an *os.File.
func (c *Client) ImportAssets(
	ctx context.Context, b firemode.BuildingID, file io.Reader, dryRun bool,
) (r ImportReport, err error) {
	q := request{method: http.MethodPost, path: assets(b, "import"), stream: file}
	if dryRun {
		q.query = values("dry_run", strconv.FormatBool(dryRun))
	}
	_, err = c.do(ctx, q, &r)
	return r, err
}

// ExportAssets writes the register of a building to w as CSV, in the form that ImportAssets reads.
// After an error w may hold a part of it.
func (c *Client) ExportAssets(ctx context.Context, b firemode.BuildingID, w io.Writer) error {
	_, err := c.do(ctx, get(assets(b, "export"), nil), w)
	return err
}

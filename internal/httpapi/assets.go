package httpapi

import (
	"context"
	"time"

	"firemode"
	"firemode/internal/assets"
	"firemode/internal/httpkit"
	"firemode/internal/store"
)

type assetBody struct {
	ID firemode.AssetID `json:"asset_id"`
	AssetFields
	Building  firemode.BuildingID `json:"building_id"`
	System    string              `json:"system" example:"FE"`
	Baselines []baselineBody      `json:"baselines"`
	CreatedAt time.Time           `json:"created_at"`
	UpdatedAt time.Time           `json:"updated_at"`
}

// AssetFields are the fields of an asset that a client sets. A date is "2006-01-02" or "".
type AssetFields struct {
	Type             string `json:"asset_type" maxLength:"200" doc:"Code of an asset type, or a register's words for one" example:"extinguisher_powder"`
	Description      string `json:"description,omitempty" maxLength:"500"`
	Level            string `json:"level,omitempty" maxLength:"64" example:"L05"`
	Location         string `json:"location,omitempty" maxLength:"500"`
	Make             string `json:"make,omitempty" maxLength:"200"`
	Model            string `json:"model,omitempty" maxLength:"200"`
	Serial           string `json:"serial,omitempty" maxLength:"200"`
	Manufactured     string `json:"manufactured,omitempty" maxLength:"32" doc:"A date"`
	Installed        string `json:"installed,omitempty" maxLength:"32" doc:"A date"`
	LastPressureTest string `json:"last_pressure_test,omitempty" maxLength:"32" doc:"A date"`
	Barcode          string `json:"barcode,omitempty" maxLength:"200" doc:"Unique in its building"`
	Status           string `json:"status,omitempty" maxLength:"64" example:"in service"`
	Notes            string `json:"notes,omitempty" maxLength:"4000"`
}

type baselineBody struct {
	Measurement string  `json:"measurement" example:"flow_lps"`
	Value       decimal `json:"value"`
	Unit        string  `json:"unit" example:"L/s"`
	Source      string  `json:"source" doc:"The document it comes from"`
	Date        string  `json:"date" example:"2024-02-29"`
}

func assetOf(a firemode.Asset) assetBody {
	b := assetBody{
		ID: a.ID, Building: a.Building, System: a.System, CreatedAt: a.CreatedAt.UTC(), UpdatedAt: a.UpdatedAt.UTC(),
		AssetFields: AssetFields{
			Type: a.Type, Description: a.Description, Level: a.Level, Location: a.Location, Make: a.Make, Model: a.Model,
			Serial:       a.Serial,
			Manufactured: a.Manufactured, Installed: a.Installed, LastPressureTest: a.LastPressureTest,
			Barcode: a.Barcode, Status: a.Status, Notes: a.Notes,
		},
	}
	b.Baselines = baselinesOf(a.Baselines)
	return b
}

func (f AssetFields) asset(id firemode.AssetID) firemode.Asset {
	return firemode.Asset{
		ID: id, Type: f.Type, Description: f.Description, Level: f.Level, Location: f.Location, Make: f.Make,
		Model: f.Model, Serial: f.Serial,
		Manufactured: f.Manufactured, Installed: f.Installed, LastPressureTest: f.LastPressureTest,
		Barcode: f.Barcode, Status: f.Status, Notes: f.Notes,
	}
}

// AssetPath is the path of one asset.
type AssetPath struct {
	BuildingPath
	AssetID firemode.AssetID `path:"asset_id" pattern:"^[A-Za-z0-9_-]{1,64}$" doc:"The owner's tag, unique in the building"`
}

type createAssetInput struct {
	BuildingPath
	Body struct {
		ID firemode.AssetID `json:"asset_id" pattern:"^[A-Za-z0-9_-]{1,64}$" patternDescription:"1 to 64 letters, digits, _ or -"`
		AssetFields
	}
}

type patchAssetInput struct {
	AssetPath
	httpkit.Versioned
	Body assetPatchBody
}

// assetPatchBody changes the fields that are present. "" clears any field but the type and the
// status.
type assetPatchBody struct {
	Type             *string `json:"asset_type,omitempty" maxLength:"200"`
	Description      *string `json:"description,omitempty" maxLength:"500"`
	Level            *string `json:"level,omitempty" maxLength:"64"`
	Location         *string `json:"location,omitempty" maxLength:"500"`
	Make             *string `json:"make,omitempty" maxLength:"200"`
	Model            *string `json:"model,omitempty" maxLength:"200"`
	Serial           *string `json:"serial,omitempty" maxLength:"200"`
	Manufactured     *string `json:"manufactured,omitempty" maxLength:"32"`
	Installed        *string `json:"installed,omitempty" maxLength:"32"`
	LastPressureTest *string `json:"last_pressure_test,omitempty" maxLength:"32"`
	Barcode          *string `json:"barcode,omitempty" maxLength:"200"`
	Status           *string `json:"status,omitempty" maxLength:"64"`
	Notes            *string `json:"notes,omitempty" maxLength:"4000"`
}

type listAssetsInput struct {
	BuildingPath
	Paging
	System string `query:"system" maxLength:"64" example:"FE"`
	Level  string `query:"level" maxLength:"64" example:"L05"`
	Type   string `query:"asset_type" maxLength:"200"`
	Status string `query:"status" maxLength:"64"`
	Text   string `query:"q" maxLength:"200" doc:"Part of any of the asset's words, any case"`
}

type baselinesInput struct {
	AssetPath
	Body struct {
		Baselines []baselineBody `json:"baselines" maxItems:"200"`
	}
}

func assetReply(asset firemode.Asset, err error) (*httpkit.Reply[assetBody], error) {
	return &httpkit.Reply[assetBody]{ETag: httpkit.ETag(asset.Version), Body: assetOf(asset)}, err
}

func (a *API) createAsset(ctx context.Context, in *createAssetInput) (*httpkit.Reply[assetBody], error) {
	return assetReply(a.Services.Buildings.CreateAsset(ctx, in.ID, in.Body.asset(in.Body.ID)))
}

func (a *API) listAssets(ctx context.Context, in *listAssetsInput) (*httpkit.Reply[list[assetBody]], error) {
	page, err := a.page(ctx, in.Paging)
	if err != nil {
		return nil, err
	}
	f := store.AssetFilter{System: in.System, Level: in.Level, Type: in.Type, Status: in.Status, Text: in.Text}
	rows, err := a.Services.Buildings.Assets(ctx, in.ID, f, page)
	return listed(ctx, a, in.Paging, rows, assetOf), err
}

func (a *API) getAsset(ctx context.Context, in *AssetPath) (*httpkit.Reply[assetBody], error) {
	return assetReply(a.Services.Buildings.Asset(ctx, in.ID, in.AssetID))
}

func (a *API) patchAsset(ctx context.Context, in *patchAssetInput) (*httpkit.Reply[assetBody], error) {
	version, err := in.Version()
	if err != nil {
		return nil, err
	}
	return assetReply(a.Services.Buildings.PatchAsset(ctx, in.ID, in.AssetID, version, assets.AssetPatch(in.Body)))
}

func (a *API) putBaselines(ctx context.Context, in *baselinesInput) (*httpkit.Reply[assetBody], error) {
	list := make([]firemode.Baseline, len(in.Body.Baselines))
	for i, b := range in.Body.Baselines {
		list[i] = firemode.Baseline{
			Measurement: b.Measurement, Value: string(b.Value), Unit: b.Unit, Source: b.Source, Date: b.Date,
		}
	}
	return assetReply(a.Services.Buildings.PutBaselines(ctx, in.ID, in.AssetID, list))
}

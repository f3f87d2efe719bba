package httpapi

import (
	"context"
	"time"

	"firemode"
	"firemode/internal/assets"
	"firemode/internal/httpkit"
	"firemode/internal/store"
)

type buildingBody struct {
	ID        firemode.BuildingID `json:"building_id"`
	Name      string              `json:"site_name"`
	Address   string              `json:"site_address"`
	Metadata  map[string]any      `json:"metadata"`
	Owners    []firemode.UserID   `json:"owner_ids"`
	Status    string              `json:"status" enum:"active,archived"`
	CreatedAt time.Time           `json:"created_at"`
}

func buildingOf(b firemode.Building) buildingBody {
	return buildingBody{
		ID: b.ID, Name: b.Name, Address: b.Address, Metadata: b.Metadata, Owners: b.Owners, Status: b.Status,
		CreatedAt: b.CreatedAt.UTC(),
	}
}

// BuildingPath is the path of a building and of everything below it.
type BuildingPath struct {
	ID firemode.BuildingID `path:"id" pattern:"^[A-Za-z0-9_-]{1,64}$" doc:"building_id"`
}

type createBuildingInput struct {
	Body struct {
		ID       firemode.BuildingID `json:"building_id,omitempty" doc:"Minted when absent"`
		Name     string              `json:"site_name" minLength:"1" maxLength:"200"`
		Address  string              `json:"site_address" minLength:"1" maxLength:"300"`
		Metadata map[string]any      `json:"metadata,omitempty" doc:"Anything, up to 16 KiB"`
		Owners   []firemode.UserID   `json:"owner_ids,omitempty" maxItems:"1000" doc:"Users of role owner who may read the building"`
	}
}

type patchBuildingInput struct {
	BuildingPath
	httpkit.Versioned
	Body struct {
		Name     *string            `json:"site_name,omitempty" minLength:"1" maxLength:"200"`
		Address  *string            `json:"site_address,omitempty" minLength:"1" maxLength:"300"`
		Metadata *map[string]any    `json:"metadata,omitempty" doc:"Replaces all of it"`
		Owners   *[]firemode.UserID `json:"owner_ids,omitempty" maxItems:"1000" doc:"Replaces all of them"`
		Status   *string            `json:"status,omitempty" enum:"active,archived"`
	}
}

type listBuildingsInput struct {
	Paging
	Text string `query:"q" maxLength:"200" doc:"Part of name or address, any case"`
}

func buildingReply(b firemode.Building, err error) (*httpkit.Reply[buildingBody], error) {
	return &httpkit.Reply[buildingBody]{ETag: httpkit.ETag(b.Version), Body: buildingOf(b)}, err
}

func (a *API) createBuilding(ctx context.Context, in *createBuildingInput) (*httpkit.Reply[buildingBody], error) {
	return buildingReply(a.Services.Buildings.Create(ctx, assets.NewBuilding(in.Body)))
}

func (a *API) listBuildings(ctx context.Context, in *listBuildingsInput) (*httpkit.Reply[list[buildingBody]], error) {
	page, err := a.page(ctx, in.Paging)
	if err != nil {
		return nil, err
	}
	rows, err := a.Services.Buildings.List(ctx, store.BuildingFilter{Text: in.Text}, page)
	return listed(ctx, a, in.Paging, rows, buildingOf), err
}

func (a *API) getBuilding(ctx context.Context, in *BuildingPath) (*httpkit.Reply[buildingBody], error) {
	return buildingReply(a.Services.Buildings.Get(ctx, in.ID))
}

func (a *API) patchBuilding(ctx context.Context, in *patchBuildingInput) (*httpkit.Reply[buildingBody], error) {
	version, err := in.Version()
	if err != nil {
		return nil, err
	}
	return buildingReply(a.Services.Buildings.Patch(ctx, in.ID, version, assets.Patch(in.Body)))
}

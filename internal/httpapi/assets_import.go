package httpapi

import (
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"firemode"
	"firemode/internal/assets"
	"firemode/internal/httpkit"
)

const mediaCSV = "text/csv"

type importBody struct {
	Created   int             `json:"created"`
	Updated   int             `json:"updated"`
	Unchanged int             `json:"unchanged"`
	Rejected  []rejectionBody `json:"rejected"`
	Omitted   int             `json:"rejected_omitted,omitzero" doc:"Rejections beyond those listed"`
}

type rejectionBody struct {
	Line    int    `json:"line" doc:"Of the file, from 1: where the row starts"`
	AssetID string `json:"asset_id" doc:"As it was written"`
	Reason  string `json:"reason"`
}

func importOf(r assets.Report) importBody {
	b := importBody{Created: r.Created, Updated: r.Updated, Unchanged: r.Unchanged, Omitted: r.Omitted}
	for _, rejected := range r.Rejected {
		b.Rejected = append(b.Rejected, rejectionBody(rejected))
	}
	return b
}

// importAssets streams the file into the service, so that a register of 64 MiB is never in memory
// as a whole.
func (a *API) importAssets(w http.ResponseWriter, r *http.Request) error {
	building, err := pathID[firemode.BuildingID](r)
	if err != nil {
		return err
	}
	dryRun := false
	if text := r.URL.Query().Get("dry_run"); text != "" {
		if dryRun, err = strconv.ParseBool(text); err != nil {
			return firemode.Malformed("dry_run: must be true or false")
		}
	}
	report, err := a.Services.Buildings.Import(r.Context(), building, r.Body, dryRun)
	if err != nil {
		return err
	}
	httpkit.WriteJSON(w, r, http.StatusOK, importOf(report))
	return nil
}

// exportAssets answers the register as a file that importAssets accepts.
func (a *API) exportAssets(w http.ResponseWriter, r *http.Request) error {
	building, err := pathID[firemode.BuildingID](r)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", mediaCSV+"; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="`+string(building)+`-assets.csv"`)
	return a.Services.Buildings.Export(r.Context(), building, w)
}

func documentImport(op *huma.Operation, r huma.Registry) {
	op.Parameters = append(op.Parameters, httpkit.IDParam("id", "building_id"), &huma.Param{
		Name: "dry_run", In: "query", Description: "Report the same and write nothing",
		Schema: &huma.Schema{Type: huma.TypeBoolean},
	})
	op.RequestBody = &huma.RequestBody{
		Required: true,
		Content:  map[string]*huma.MediaType{mediaCSV: {Schema: &huma.Schema{Type: huma.TypeString}}},
	}
	op.Responses["200"] = httpkit.JSONResponse[importBody](r, "What was done with each row")
}

func documentExport(op *huma.Operation, _ huma.Registry) {
	op.Parameters = append(op.Parameters, httpkit.IDParam("id", "building_id"))
	op.Responses["200"] = &huma.Response{
		Description: "The register, as import takes it",
		Content:     map[string]*huma.MediaType{mediaCSV: {Schema: &huma.Schema{Type: huma.TypeString}}},
	}
}

package httpapi

import (
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"firemode"
	"firemode/internal/assets"
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

// importAssets streams the file into the service, so that a register of 64 MiB needs no memory of that size.
func importAssets(a *API, w http.ResponseWriter, r *http.Request) error {
	building, err := buildingID(r)
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
	a.writeJSON(w, r, http.StatusOK, importOf(report))
	return nil
}

// exportAssets answers the register as a file that importAssets takes.
func exportAssets(a *API, w http.ResponseWriter, r *http.Request) error {
	building, err := buildingID(r)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", mediaCSV+"; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="`+string(building)+`-assets.csv"`)
	return a.Services.Buildings.Export(r.Context(), building, w)
}

func buildingID(r *http.Request) (firemode.BuildingID, error) {
	id := r.PathValue("id")
	if !firemode.ValidID(id) {
		return "", badPath("id")
	}
	return firemode.BuildingID(id), nil
}

func badPath(name string) error {
	e := firemode.Malformed("%s: must be 1 to 64 letters, digits, _ or -", name)
	e.Details = []firemode.Detail{{Field: name, Reason: "must be 1 to 64 letters, digits, _ or -"}}
	return e
}

func documentImport(op *huma.Operation, r huma.Registry) {
	op.Parameters = append(op.Parameters, idParam("id", "building_id"), &huma.Param{
		Name: "dry_run", In: "query", Description: "Report the same and write nothing", Schema: &huma.Schema{Type: huma.TypeBoolean},
	})
	op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{mediaCSV: {Schema: &huma.Schema{Type: huma.TypeString}}}}
	op.Responses["200"] = jsonResponse[importBody](r, "What was done with each row")
}

func documentExport(op *huma.Operation, _ huma.Registry) {
	op.Parameters = append(op.Parameters, idParam("id", "building_id"))
	op.Responses["200"] = &huma.Response{
		Description: "The register, as import takes it",
		Content:     map[string]*huma.MediaType{mediaCSV: {Schema: &huma.Schema{Type: huma.TypeString}}},
	}
}

// jsonResponse documents an answer of a raw route.
func jsonResponse[T any](r huma.Registry, description string) *huma.Response {
	return &huma.Response{Description: description, Content: map[string]*huma.MediaType{mediaJSON: {Schema: schemaOf[T](r)}}}
}

// idParam documents an id in the path of a raw route.
func idParam(name, description string) *huma.Param {
	return &huma.Param{
		Name: name, In: "path", Required: true, Description: description,
		Schema: &huma.Schema{Type: huma.TypeString, Pattern: "^[A-Za-z0-9_-]{1,64}$"},
	}
}

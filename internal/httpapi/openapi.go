package httpapi

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"firemode"
)

// documents are the forms in which the API describes itself.
type documents struct {
	yaml, json, page []byte
}

// OpenAPI returns the description of the API as YAML, the content of api/openapi.yaml. It needs no configuration.
func OpenAPI() ([]byte, error) {
	a, err := build(Config{}, routes())
	if err != nil {
		return nil, err
	}
	d, err := a.spec()
	return d.yaml, err
}

func (a *API) humaConfig() huma.Config {
	spec := &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info: &huma.Info{
			Title:       "FireMode",
			Version:     "1",
			Description: "Routine service of fire protection systems: buildings, asset registers, test sessions, results that merge, defects and evidence.",
			License:     &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"},
		},
		Components: &huma.Components{
			Schemas: huma.NewMapRegistry("#/components/schemas/", schemaName),
			SecuritySchemes: map[string]*huma.SecurityScheme{
				"bearer": {Type: "http", Scheme: "bearer", BearerFormat: "JWT"},
			},
		},
	}
	c := huma.Config{
		OpenAPI: spec,
		// huma writes its errors, before refit has put them right, under the second name.
		Formats:       map[string]huma.Format{mediaJSON: jsonFormat(), "application/problem+json": jsonFormat()},
		DefaultFormat: mediaJSON,
		Transformers:  []huma.Transformer{a.refit},
	}
	// What a newer client sends more is let through; checker refuses what is only misspelled.
	c.AllowAdditionalPropertiesByDefault = true
	return c
}

// operation is what the documentation says about rt, but for what follows from the handler's types.
func (a *API) operation(rt *Route) huma.Operation {
	op := huma.Operation{
		Method: rt.Method, Path: rt.Pattern, OperationID: rt.ID, Summary: rt.Summary, Tags: []string{rt.Tag},
		DefaultStatus: rt.Status,
		// The frame has read and checked the body, under the limits of the route, before huma sees it.
		MaxBodyBytes: -1, BodyReadTimeout: -1, SkipValidateBody: true,
		Responses: map[string]*huma.Response{"default": a.errorResponse()},
	}
	if op.DefaultStatus == 0 {
		op.DefaultStatus = http.StatusOK
	}
	if rt.Permission != "" {
		op.Security = []map[string][]string{{"bearer": {}}}
	}
	if rt.Once != OnceIgnored {
		op.Parameters = append(op.Parameters, &huma.Param{
			Name: "Idempotency-Key", In: "header", Required: rt.Once == OnceRequired,
			Description: "Makes the request safe to repeat: the same key and request get the stored answer, for 24 hours",
			Schema:      &huma.Schema{Type: huma.TypeString, MinLength: ptr(1), MaxLength: ptr(maxKeyLength)},
		})
	}
	if rt.Body.Media != "" {
		op.Description = "The body may have at most " + strconv.FormatInt(rt.Body.Limit, 10) + " bytes."
	}
	return op
}

func (a *API) errorResponse() *huma.Response {
	return &huma.Response{
		Description: "An error; error_code is FIRE- and the status",
		Content:     map[string]*huma.MediaType{mediaJSON: {Schema: schemaOf[problem](a.registry())}},
	}
}

// schemaOf is the schema of T, for the documentation of raw routes.
func schemaOf[T any](r huma.Registry) *huma.Schema {
	return r.Schema(typeOf[T](), true, "")
}

// render writes the description in all its forms.
func (a *API) render() (documents, error) {
	spec := a.huma.OpenAPI()
	// huma declares its own error model, which refit never lets out.
	delete(spec.Components.Schemas.Map(), "ErrorModel")
	delete(spec.Components.Schemas.Map(), "ErrorDetail")
	yaml, err := spec.YAML()
	if err != nil {
		return documents{}, fmt.Errorf("describe the API: %w", err)
	}
	json, err := spec.MarshalJSON()
	if err != nil {
		return documents{}, fmt.Errorf("describe the API: %w", err)
	}
	page, err := docsPage(spec)
	return documents{yaml: yaml, json: json, page: page}, err
}

// serveDocument answers one of the forms.
func serveDocument(media string, form func(documents) []byte) func(*API, http.ResponseWriter, *http.Request) error {
	return func(a *API, w http.ResponseWriter, r *http.Request) error {
		d, err := a.spec()
		if err != nil {
			return err
		}
		w.Header().Set("Content-Type", media)
		w.Header().Set("Cache-Control", "no-cache")
		if bytes.HasPrefix([]byte(media), []byte("text/html")) {
			w.Header().Set("Content-Security-Policy", docsPolicy)
		}
		if _, err := w.Write(form(d)); err != nil {
			exchangeOf(r.Context()).failure = err
		}
		return nil
	}
}

// documentText documents a route without parameters that answers one text.
func documentText(media string) func(*huma.Operation, huma.Registry) {
	return func(op *huma.Operation, _ huma.Registry) {
		op.Responses["200"] = &huma.Response{
			Description: http.StatusText(http.StatusOK),
			Content:     map[string]*huma.MediaType{media: {Schema: &huma.Schema{Type: huma.TypeString}}},
		}
	}
}

func metricsPage(a *API, w http.ResponseWriter, r *http.Request) error {
	if a.MetricsPage == nil {
		return firemode.NotFound("metrics are not served here")
	}
	a.MetricsPage.ServeHTTP(w, r)
	return nil
}

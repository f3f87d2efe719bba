package httpkit

import (
	"fmt"
	"net/http"
	"reflect"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
)

// Description is the part of the description that does not follow from the routes.
type Description struct {
	Info *huma.Info // title and text
	// Schemas names the types whose published name is not derived from the name of the Go type.
	Schemas map[reflect.Type]string
}

// documents are the forms of the description.
type documents struct {
	yaml, json, page []byte
}

func humaConfig(d Description) huma.Config {
	spec := &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info:    d.Info,
		Components: &huma.Components{
			Schemas: huma.NewMapRegistry("#/components/schemas/", schemaNamer(d.Schemas)),
			SecuritySchemes: map[string]*huma.SecurityScheme{
				"bearer": {Type: "http", Scheme: "bearer", BearerFormat: "JWT"},
			},
		},
	}
	c := huma.Config{
		OpenAPI: spec,
		// huma encodes its own errors under the second name, before mapHumaError runs.
		Formats:       map[string]huma.Format{MediaJSON: jsonFormat(), "application/problem+json": jsonFormat()},
		DefaultFormat: MediaJSON,
		Transformers:  []huma.Transformer{mapHumaError},
	}
	// Newer clients may send more; schemaChecker refuses names in the wrong case.
	c.AllowAdditionalPropertiesByDefault = true
	return c
}

// operation returns the description of rt, without what follows from the handler's types.
func (s *Server) operation(rt *Route) huma.Operation {
	op := huma.Operation{
		Method: rt.Method, Path: rt.Pattern, OperationID: rt.ID, Summary: rt.Summary, Tags: []string{rt.Tag},
		DefaultStatus: rt.Status,
		// The middleware has read and checked the body before huma sees it.
		MaxBodyBytes: -1, BodyReadTimeout: -1, SkipValidateBody: true,
		Responses: map[string]*huma.Response{"default": s.problemResponse()},
	}
	if op.DefaultStatus == 0 {
		op.DefaultStatus = http.StatusOK
	}
	if rt.Permission != nil {
		op.Security = []map[string][]string{{"bearer": {}}}
	}
	if rt.Once != OnceIgnored {
		op.Parameters = append(op.Parameters, &huma.Param{
			Name: "Idempotency-Key", In: "header", Required: rt.Once == OnceOwn,
			Description: "Makes the request safe to repeat: the same key and request get the stored answer, for 24 hours",
			Schema:      &huma.Schema{Type: huma.TypeString, MinLength: ptr(1), MaxLength: ptr(maxKeyLength)},
		})
	}
	if rt.Body.Media != "" {
		op.Description = "The body may have at most " + strconv.FormatInt(rt.Body.Limit, 10) + " bytes."
	}
	return op
}

func (s *Server) problemResponse() *huma.Response {
	return &huma.Response{
		Description: "An error; error_code is FIRE- and the status",
		Content:     map[string]*huma.MediaType{MediaJSON: {Schema: SchemaOf[Problem](s.registry())}},
	}
}

// SchemaOf returns the schema of T, for the description of raw routes.
func SchemaOf[T any](r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[T](), true, "")
}

// render returns the description in all its forms.
func (s *Server) render() (documents, error) {
	spec := s.huma.OpenAPI()
	// huma declares its own error model, which mapHumaError replaces.
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

// ServeYAML is the endpoint of the description as YAML.
func ServeYAML() Endpoint {
	return serveDocument(mediaYAML, mediaYAML, func(d documents) []byte { return d.yaml })
}

// ServeJSON is the endpoint of the description as JSON.
func ServeJSON() Endpoint {
	return serveDocument(MediaJSON, MediaJSON, func(d documents) []byte { return d.json })
}

// ServePage is the endpoint of the description as a page for reading.
func ServePage() Endpoint {
	return serveDocument(mediaHTML, mediaHTML+"; charset=utf-8", func(d documents) []byte { return d.page })
}

const (
	mediaYAML = "application/yaml"
	mediaHTML = "text/html"
)

// serveDocument is the endpoint of one form.
func serveDocument(media, contentType string, form func(documents) []byte) Endpoint {
	return func(s *Server, rt *Route, op huma.Operation) {
		s.register(rt, op, func(w http.ResponseWriter, r *http.Request) error {
			d, err := s.rendered()
			if err != nil {
				return err
			}
			w.Header().Set("Content-Type", contentType)
			w.Header().Set("Cache-Control", "no-cache")
			if media == mediaHTML {
				w.Header().Set("Content-Security-Policy", docsPolicy)
			}
			if _, err := w.Write(form(d)); err != nil {
				StateOf(r.Context()).failure = err
			}
			return nil
		}, DocumentText(media))
	}
}

// DocumentText describes a route without parameters that answers text.
func DocumentText(media string) Document {
	return func(op *huma.Operation, _ huma.Registry) {
		op.Responses["200"] = &huma.Response{
			Description: http.StatusText(http.StatusOK),
			Content:     map[string]*huma.MediaType{media: {Schema: &huma.Schema{Type: huma.TypeString}}},
		}
	}
}

// DocumentLines describes that a response or a request body can be NDJSON.
func DocumentLines(content map[string]*huma.MediaType, description string) {
	content[MediaLines] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Description: description}}
}

// JSONResponse describes a response of a raw route.
func JSONResponse[T any](r huma.Registry, description string) *huma.Response {
	return &huma.Response{
		Description: description,
		Content:     map[string]*huma.MediaType{MediaJSON: {Schema: SchemaOf[T](r)}},
	}
}

// IDParam describes an id in the path of a raw route.
func IDParam(name, description string) *huma.Param {
	return &huma.Param{
		Name: name, In: "path", Required: true, Description: description,
		Schema: &huma.Schema{Type: huma.TypeString, Pattern: "^[A-Za-z0-9_-]{1,64}$"},
	}
}

// QueryParam describes a parameter in the query of a raw route.
func QueryParam(name, description string) *huma.Param {
	return &huma.Param{Name: name, In: "query", Description: description, Schema: &huma.Schema{Type: huma.TypeString}}
}

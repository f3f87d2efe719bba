package httpkit

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"maps"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// docsPolicy allows the page its own style and nothing else: it has no script and loads nothing.
const docsPolicy = "default-src 'none'; style-src 'unsafe-inline'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

//go:embed docs.html
var docsTemplate string

// docsView is what the page shows.
type docsView struct {
	Title, About string
	Tags         []docsTag
	Schemas      []docsSchema
}

type docsTag struct {
	Name       string
	Operations []docsOperation
}

type docsOperation struct {
	*huma.Operation
	Request   []docsContent
	Responses []docsResponse
}

type docsResponse struct {
	Status, Description string
	Content             []docsContent
}

type docsContent struct {
	Media, Type string // Type is the name of a schema, "" for plain text
}

type docsSchema struct {
	Name string
	JSON string
}

// docsPage renders spec as one page that loads nothing else.
func docsPage(spec *huma.OpenAPI) ([]byte, error) {
	page, err := template.New("docs").Parse(docsTemplate)
	if err != nil {
		return nil, fmt.Errorf("docs page: %w", err)
	}
	view := docsView{Title: spec.Info.Title, About: spec.Info.Description, Tags: docsTags(spec)}
	schemas := spec.Components.Schemas.Map()
	for _, name := range slices.Sorted(maps.Keys(schemas)) {
		text, err := json.Marshal(schemas[name], jsontext.WithIndent("  "))
		if err != nil {
			return nil, fmt.Errorf("docs page: %w", err)
		}
		view.Schemas = append(view.Schemas, docsSchema{name, string(text)})
	}
	var out bytes.Buffer
	if err := page.Execute(&out, view); err != nil {
		return nil, fmt.Errorf("docs page: %w", err)
	}
	return out.Bytes(), nil
}

func docsTags(spec *huma.OpenAPI) []docsTag {
	var tags []docsTag
	for _, path := range slices.Sorted(maps.Keys(spec.Paths)) {
		item := spec.Paths[path]
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
			if op != nil {
				tags = withOperation(tags, op)
			}
		}
	}
	slices.SortStableFunc(tags, func(a, b docsTag) int { return strings.Compare(a.Name, b.Name) })
	return tags
}

func withOperation(tags []docsTag, op *huma.Operation) []docsTag {
	shown := docsOperation{Operation: op}
	if op.RequestBody != nil {
		shown.Request = docsContents(op.RequestBody.Content)
	}
	for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
		r := op.Responses[status]
		shown.Responses = append(shown.Responses, docsResponse{status, r.Description, docsContents(r.Content)})
	}
	name := strings.Join(op.Tags, " ")
	at := slices.IndexFunc(tags, func(t docsTag) bool { return t.Name == name })
	if at < 0 {
		tags, at = append(tags, docsTag{Name: name}), len(tags)
	}
	tags[at].Operations = append(tags[at].Operations, shown)
	return tags
}

func docsContents(content map[string]*huma.MediaType) []docsContent {
	var out []docsContent
	for _, media := range slices.Sorted(maps.Keys(content)) {
		shown := docsContent{Media: media}
		if s := content[media].Schema; s != nil {
			shown.Type = s.Ref[strings.LastIndex(s.Ref, "/")+1:]
		}
		out = append(out, shown)
	}
	return out
}

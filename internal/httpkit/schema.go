package httpkit

import (
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

func ptr[T any](v T) *T { return &v }

// schemaName names a type in the description: buildingBody is Building, list[buildingBody] is BuildingList.
func schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	name = strings.TrimSuffix(name, "Body")
	if item, ok := strings.CutPrefix(name, "List"); ok && item != "" {
		return strings.TrimSuffix(item, "Body") + "List"
	}
	return name
}

// neverNull says that lists are never null: nil ones are written as [], and a client that means none leaves them out.
func neverNull(r huma.Registry) {
	for _, s := range r.Map() {
		for _, p := range s.Properties {
			if p.Type == huma.TypeArray {
				p.Nullable = false
			}
		}
	}
}

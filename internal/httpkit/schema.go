package httpkit

import (
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

func ptr[T any](v T) *T { return &v }

// schemaNamer returns the function that names a type in the description. If published does not name
// the type, buildingBody is Building and list[buildingBody] is BuildingList.
func schemaNamer(published map[reflect.Type]string) func(t reflect.Type, hint string) string {
	return func(t reflect.Type, hint string) string {
		if name, ok := published[t]; ok {
			return name
		}
		return derivedName(huma.DefaultSchemaNamer(t, hint))
	}
}

func derivedName(name string) string {
	name = strings.TrimSuffix(name, "Body")
	if item, ok := strings.CutPrefix(name, "List"); ok && item != "" {
		return strings.TrimSuffix(item, "Body") + "List"
	}
	return name
}

// listsAreNeverNull describes lists as never null: a nil list is written as [], and a client that has
// none omits it.
func listsAreNeverNull(r huma.Registry) {
	for _, s := range r.Map() {
		for _, p := range s.Properties {
			if p.Type == huma.TypeArray {
				p.Nullable = false
			}
		}
	}
}

package httpapi

import (
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json/jsontext"

	"firemode"
)

func typeOf[T any]() reflect.Type { return reflect.TypeFor[T]() }

func ptr[T any](v T) *T { return &v }

// schemaName names a type in the documentation: buildingBody is Building, list[buildingBody] is BuildingList.
func schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	name = strings.TrimSuffix(name, "Body")
	if item, ok := strings.CutPrefix(name, "List"); ok && item != "" {
		return strings.TrimSuffix(item, "Body") + "List"
	}
	return name
}

// decimal is a JSON number that is kept as it was written, since a reading of 12.50 is not one of 12.5.
type decimal string

// UnmarshalJSON refuses anything but a number.
func (d *decimal) UnmarshalJSON(text []byte) error {
	if jsontext.Value(text).Kind() != '0' {
		return firemode.Malformed("must be a number")
	}
	*d = decimal(text)
	return nil
}

// MarshalJSON writes the number as it was read.
func (d decimal) MarshalJSON() ([]byte, error) {
	if d == "" {
		return []byte("null"), nil
	}
	return []byte(d), nil
}

// Schema says that it is a number.
func (decimal) Schema(huma.Registry) *huma.Schema { return &huma.Schema{Type: huma.TypeNumber} }

// lists says that lists are never null: nil ones are written as [], and a client that means none leaves them out.
func lists(r huma.Registry) {
	for _, s := range r.Map() {
		for _, p := range s.Properties {
			if p.Type == huma.TypeArray {
				p.Nullable = false
			}
		}
	}
}

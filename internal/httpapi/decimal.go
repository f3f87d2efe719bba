package httpapi

import (
	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json/jsontext"

	"firemode"
)

func ptr[T any](v T) *T { return &v }

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

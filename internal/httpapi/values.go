package httpapi

import (
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json/jsontext"

	"firemode"
	"firemode/internal/httpkit"
)

// decimal is a JSON number that keeps its digits: a reading of 12.50 is not one of 12.5.
type decimal string

// UnmarshalJSON refuses anything but a number.
func (d *decimal) UnmarshalJSON(text []byte) error {
	if jsontext.Value(text).Kind() != '0' {
		return firemode.Malformed("must be a number")
	}
	*d = decimal(text)
	return nil
}

// MarshalJSON writes the number with the digits it had.
func (d decimal) MarshalJSON() ([]byte, error) {
	if d == "" {
		return []byte("null"), nil
	}
	return []byte(d), nil
}

// Schema describes it as a number.
func (decimal) Schema(huma.Registry) *huma.Schema { return &huma.Schema{Type: huma.TypeNumber} }

// moment returns t in UTC, nil for no time.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

func ptr[T any](v T) *T { return &v }

// pathID returns the parameter id of the path of a raw route.
func pathID[T ~string](r *http.Request) (T, error) {
	id := r.PathValue("id")
	if !firemode.ValidID(id) {
		return "", httpkit.BadPath("id")
	}
	return T(id), nil
}

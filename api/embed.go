// Package api carries the machine-readable description of the HTTP API. It is generated from the Go types in internal/httpapi,
// and a test there fails when it is not current.
package api

import _ "embed"

//go:generate go test ../internal/httpapi -run ^TestDescription_FileIsCurrent$ -update

//go:embed openapi.yaml
var openAPI string

// OpenAPI returns the OpenAPI 3.1 description, as YAML.
func OpenAPI() []byte { return []byte(openAPI) }

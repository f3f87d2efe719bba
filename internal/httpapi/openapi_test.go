package httpapi

import (
	"bytes"
	"flag"
	"os"
	"testing"
)

var update = flag.Bool("update", false, "write api/openapi.yaml")

const openapiFile = "../../api/openapi.yaml"

func TestOpenAPIFileIsCurrent(t *testing.T) {
	want, err := OpenAPI()
	must(t, err)
	if *update {
		must(t, os.WriteFile(openapiFile, want, 0o644))
	}
	got, err := os.ReadFile(openapiFile)
	must(t, err)
	if !bytes.Equal(got, want) {
		t.Error("api/openapi.yaml is not what the Go types say; run go generate ./api")
	}
}

func TestOpenAPIIsTheSameEveryTime(t *testing.T) {
	first, err := OpenAPI()
	must(t, err)
	for range 5 {
		again, err := OpenAPI()
		must(t, err)
		if !bytes.Equal(first, again) {
			t.Fatal("the description depends on the order of a map")
		}
	}
}

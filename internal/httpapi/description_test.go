package httpapi

import (
	"bytes"
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
)

func TestDescription_ShowsEveryRoute(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	page := w.do(request{method: "GET", path: "/docs"}).Body.String()
	for _, rt := range routes() {
		if !strings.Contains(page, "<code>"+rt.Pattern+"</code> "+rt.Summary) {
			t.Errorf("the page lacks %s %s", rt.Method, rt.Pattern)
		}
	}
	if found := regexp.MustCompile(`(?i)<script|https?://|//[a-z]|url\(|@import`).FindString(page); found != "" {
		t.Errorf("the page loads something: %q", found)
	}
	var spec struct {
		OpenAPI string `json:"openapi"`
		Paths   map[string]map[string]any
	}
	must(t, json.Unmarshal(w.do(request{method: "GET", path: "/openapi.json"}).Body.Bytes(), &spec,
		json.MatchCaseInsensitiveNames(true)))
	for _, rt := range routes() {
		if spec.Paths[rt.Pattern][strings.ToLower(rt.Method)] == nil {
			t.Errorf("openapi.json lacks %s %s", rt.Method, rt.Pattern)
		}
	}
	want, err := OpenAPI()
	must(t, err)
	if got := w.do(request{method: "GET", path: "/openapi.yaml"}).Body.String(); got != string(want) {
		t.Error("openapi.yaml that is served is not the one that is committed")
	}
}

func TestDescription_FileIsCurrent(t *testing.T) {
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

func TestDescription_Deterministic(t *testing.T) {
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

var update = flag.Bool("update", false, "write api/openapi.yaml")

const openapiFile = "../../api/openapi.yaml"

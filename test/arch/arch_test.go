package arch

import (
	"slices"
	"strings"
	"sync"
	"testing"

	gopackages "golang.org/x/tools/go/packages"
)

// load parses and type-checks every package of the module, without its tests.
var load = sync.OnceValues(func() ([]*gopackages.Package, error) {
	return gopackages.Load(&gopackages.Config{
		Mode: gopackages.NeedName | gopackages.NeedFiles | gopackages.NeedImports | gopackages.NeedSyntax |
			gopackages.NeedTypes | gopackages.NeedTypesInfo,
		Dir: "../..",
	}, "firemode/...")
})

func loaded(t *testing.T) []*gopackages.Package {
	t.Helper()
	all, err := load()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		for _, e := range p.Errors {
			t.Fatalf("%s does not compile: %v", p.PkgPath, e)
		}
	}
	return all
}

func TestEveryPackageIsListed(t *testing.T) {
	listed := packages()
	for _, p := range loaded(t) {
		if _, ok := listed[p.PkgPath]; !ok {
			t.Errorf("%s is not in the table of test/arch: say what kind of package it is", p.PkgPath)
		}
		delete(listed, p.PkgPath)
	}
	for path := range listed {
		t.Errorf("%s is in the table of test/arch and nowhere else", path)
	}
}

func TestImports(t *testing.T) {
	for _, p := range loaded(t) {
		from := packages()[p.PkgPath]
		for path := range p.Imports {
			if exceptions()[[2]string{p.PkgPath, path}] != "" {
				continue
			}
			for _, complaint := range complaints(from, path) {
				t.Errorf("%s (%s) imports %s: %s", p.PkgPath, from, path, complaint)
			}
		}
	}
}

// complaints says what is wrong with a package of kind from importing path.
func complaints(from kind, path string) []string {
	var all []string
	if to, ours := packages()[path]; ours && !slices.Contains(levels()[from].may, to) {
		all = append(all, levels()[from].why)
	}
	for _, b := range bans()[from] {
		if path == b.path || strings.HasPrefix(path, b.path+"/") {
			all = append(all, b.why)
		}
	}
	if from == vocabulary && strings.Contains(path, ".") {
		all = append(all, "the root package depends on the standard library alone")
	}
	return all
}

func TestComplaints(t *testing.T) {
	for _, c := range []struct {
		from kind
		path string
		want bool
	}{
		{service, "firemode/internal/store", false},
		{service, "firemode/internal/identity", true},
		{service, "firemode/internal/store/sqlite", true},
		{service, "net/http", true},
		{service, "net/http/httptest", true},
		{service, "log/slog", true},
		{service, "firemode/internal/store/storetest", true},
		{service, "go.opentelemetry.io/otel/trace", false},
		{service, "go.opentelemetry.io/otel/sdk/trace", true},
		{adapter, "firemode/internal/record/merge", false},
		{record, "firemode/internal/visits", true},
		{service, "firemode/internal/record/view", false},
		{adapter, "firemode/internal/store/sqlite", true},
		{adapter, "log/slog", false},
		{pure, "context", true},
		{pure, "firemode/internal/rules", true},
		{pure, "golang.org/x/mod/semver", false},
		{vocabulary, "golang.org/x/mod/semver", true},
		{vocabulary, "encoding/json", true},
		{vocabulary, "encoding/binary", false},
		{tool, "firemode/internal/store", true},
		{tool, "firemode", false},
		{node, "firemode/internal/store/storetest", true},
		{node, "firemode/internal/telemetry", false},
	} {
		if got := len(complaints(c.from, c.path)) > 0; got != c.want {
			t.Errorf("a %s importing %s: complaint is %v, want %v", c.from, c.path, got, c.want)
		}
	}
}

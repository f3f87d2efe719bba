package assess_test

import (
	"reflect"
	"testing"

	"firemode/internal/record/assess"
	"firemode/internal/record/crdt"
)

func TestParsePath(t *testing.T) {
	for p, want := range map[crdt.Pointer]assess.Path{
		"/items":                              {},
		"/notes/x":                            {},
		"/items/E1":                           {Item: "E1"},
		"/items/a~1b~0c":                      {Item: "a/b~c"},
		"/items/E1/outcome":                   {Item: "E1", Field: "outcome", Rest: []string{}},
		"/items/E1/conditions/FE-01/a~1b":     {Item: "E1", Field: "conditions", Rest: []string{"FE-01", "a/b"}},
		"/items/E1/measurements/flow_lps/x":   {Item: "E1", Field: "measurements", Rest: []string{"flow_lps", "x"}},
		assess.ItemPath("a/b~c").Child("n/m"): {Item: "a/b~c", Field: "n/m", Rest: []string{}},
	} {
		if got := assess.ParsePath(p); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, want %+v", p, got, want)
		}
	}
}

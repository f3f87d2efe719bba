package assets

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCheckMetadata_NamesTheFault(t *testing.T) {
	t.Parallel()
	nested := func(levels int) map[string]any {
		m := map[string]any{"leaf": true}
		for range levels - 2 {
			m = map[string]any{"in": m}
		}
		return m
	}
	loop := map[string]any{}
	loop["again"] = loop
	for name, test := range map[string]struct {
		in   map[string]any
		want string
	}{
		"none":             {nil, ""},
		"text and numbers": {map[string]any{"class": "5", "storeys": 18.0, "keys": []any{"Con", nil}}, ""},
		"8 levels":         {nested(8), ""},
		"9 levels":         {nested(9), "is more than 8 levels deep"},
		"itself inside":    {loop, "is more than 8 levels deep"},
		"too long": {
			map[string]any{"x": strings.Repeat("x", 16<<10)}, "is 16392 bytes long as JSON; the limit is 16384",
		},
		"NUL in a text":     {map[string]any{"x": []any{"a\x00"}}, "holds the character U+0000"},
		"NUL in a key":      {map[string]any{"a\x00": 1}, "holds the character U+0000"},
		"a channel, a slip": {map[string]any{"x": make(chan int)}, "holds something that JSON cannot express"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, got := checkMetadata(test.in); got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
	kept, _ := checkMetadata(map[string]any{"storeys": 18, "owner": struct{ Name string }{"x"}})
	if diff := cmp.Diff(map[string]any{"storeys": 18.0, "owner": map[string]any{"Name": "x"}}, kept); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

package crdt_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"firemode/internal/record/crdt"
)

func TestParseValue(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	for _, c := range []struct{ raw, want, refused string }{
		{`12.50`, `12.50`, ""},
		{` [ 1.0 , 2 ] `, `[1.0,2]`, ""},
		{`"\u0041\/\u00e9"`, `"A/é"`, ""},
		{`"\u2028<&>"`, "\"\u2028<&>\"", ""},
		{`{"b":1,"a":{"d":2,"c":3}}`, `{"a":{"c":3,"d":2},"b":1}`, ""},
		{`null`, `null`, ""},
		{deep(32), deep(32), ""},
		{deep(33), "", "deeper than 32"},
		{`{"a":1,"a":2}`, "", "not JSON"},
		{`{"a":1,"\u0061":2}`, "", "not JSON"},
		{`[1,]`, "", "not JSON"},
		{`1 2`, "", "not JSON"},
		{``, "", "not JSON"},
		{"\"\xff\"", "", "not JSON"},
		{`"\ud800"`, "", "not JSON"},
		{`[1e65]`, "", "exponent"},
		{
			`"` + strings.Repeat("x", crdt.MaxValueBytes-2) + `"`,
			`"` + strings.Repeat("x", crdt.MaxValueBytes-2) + `"`,
			"",
		},
		{`"` + strings.Repeat("x", crdt.MaxValueBytes-1) + `"`, "", "longer than 64 KiB"},
	} {
		v, err := crdt.ParseValue([]byte(c.raw))
		switch {
		case c.refused == "" && (err != nil || string(v) != c.want):
			t.Errorf("%.60s: %.60q, %v", c.raw, v, err)
		case c.refused != "" && (err == nil || !strings.Contains(err.Error(), c.refused)):
			t.Errorf("%.60s: error %v, want one about %q", c.raw, err, c.refused)
		}
	}
}

func TestEqualValues(t *testing.T) {
	for _, c := range []struct {
		v, w string
		want bool
	}{
		{`12.5`, `12.50`, true},
		{`12.5`, `1.25e1`, true},
		{`0`, `-0.00e5`, true},
		{`1`, `"1"`, false},
		{`1`, `true`, false},
		{`null`, `false`, false},
		{`"a"`, `"A"`, false},
		{`[1,[2.0]]`, `[1.0,[2]]`, true},
		{`[1,2]`, `[2,1]`, false},
		{`[{"a":1.0,"b":2}]`, `[{"b":2.0,"a":1}]`, true},
		{`[{"a":1}]`, `[{"a":1,"b":null}]`, false},
		{`0.1`, `0.1000000000000000000000000000000001`, false},
		{`9007199254740993`, `9007199254740992`, false}, // one value as float64
	} {
		v, err1 := crdt.ParseValue([]byte(c.v))
		w, err2 := crdt.ParseValue([]byte(c.w))
		if err1 != nil || err2 != nil || v.Equal(w) != c.want || w.Equal(v) != c.want {
			t.Errorf("%s = %s: %v, want %v (%v, %v)", c.v, c.w, v.Equal(w), c.want, err1, err2)
		}
	}
}

// FuzzParseValue holds that a value that is accepted is one: standard JSON that means the same,
// canonical, equal to itself.
func FuzzParseValue(f *testing.F) {
	for _, s := range []string{
		`1`, `-12.50e3`, `{"b":[1,{"c":null}],"a":"\u00e9"}`, `[[[]]]`, `{"":{}}`,
		`"\ud83d\ude00"`, `{"a":1,"a":1}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		v, err := crdt.ParseValue(raw)
		if err != nil {
			return
		}
		again, err := crdt.ParseValue([]byte(v))
		if err != nil || again != v || !v.Equal(again) {
			t.Fatalf("%q is %q, and that is %q, %v", raw, v, again, err)
		}
		var was, is any
		if err := json.Unmarshal(raw, &was); err != nil {
			t.Skip("encoding/json does not read it: ", err)
		}
		if err := json.Unmarshal([]byte(v), &is); err != nil || !reflect.DeepEqual(was, is) {
			t.Fatalf("%q became %q, %v", raw, v, err)
		}
	})
}

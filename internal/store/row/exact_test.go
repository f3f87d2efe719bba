package row

import (
	"testing"

	"firemode/internal/store"
)

func TestExactColumn_Scan_AcceptsOnlyWhatJSONWrites(t *testing.T) {
	type inner struct {
		Name string
		Tags []string
	}
	type outer struct {
		Count int
		Text  string
		In    []inner
		By    map[string]int64
		New   *inner
	}
	for text, want := range map[string]bool{
		`{"Count":1,"Text":"a\u003cb","In":[{"Name":"x","Tags":["t"]}],"By":{"a":1,"b":2},"New":null}`: true,
		// before New
		`{"Count":1,"Text":"a\u003cb","In":[{"Name":"x","Tags":["t"]}],"By":{"a":1,"b":2}}`: true,
		// before Count and Tags
		`{"Text":"a","In":[{"Name":"x"}],"By":null}`:                        true,
		`{"count":1,"Text":"a","In":null,"By":null}`:                        false,
		`{"Count":1,"Text":"a\u003Cb","In":null,"By":null}`:                 false,
		`{"Count":1,"Text":"a<b","In":null,"By":null}`:                      false,
		`{"Count":1, "Text":"a","In":null,"By":null}`:                       false,
		`{"Count":1,"Text":"a","In":null,"By":null} `:                       false,
		`{"Count":1,"Text":"a","In":null,"By":null,"Other":0}`:              false,
		`{"Count":1,"Text":"a","In":[ {"Name":"x","Tags":null}],"By":null}`: false,
		`{"Count":1,"Count":1,"Text":"a","In":null,"By":null}`:              false,
		// an order that no flip makes
		`{"Count":1,"Text":"a","In":null,"By":{"b":2,"a":1}}`: true,
		`{"Count":1,"Text":"a","In":null,"By":{"a":01}}`:      false,
		`null`: false,
		`[]`:   false,
		``:     false,
	} {
		var o outer
		err := exactColumn{store.JSONColumn{Into: &o}}.Scan(text)
		if (err == nil) != want {
			t.Errorf("%s: %v", text, err)
		}
	}
}

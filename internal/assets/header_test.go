package assets

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"firemode"
)

func TestReadHeader_Synonyms_FindColumns(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]map[string]int{
		"asset_id,type,level,notes": {"asset_id": 0, "type": 1, "level": 2, "notes": 3},
		"Floor, Asset No. ,ASSET TYPE,Manufacturer,Serial #": {
			"level": 0, "asset_id": 1, "type": 2, "make": 3, "serial": 4,
		},
		"id,asset tag,description":  {"asset_id": 1, "type": 2},
		"Tag,Type,Description,Area": {"asset_id": 0, "type": 1, "description": 2, "location": 3},
		"tag,type,type,colour,":     {"asset_id": 0, "type": 1},
		"Asset ID,Equipment,Date of Manufacture,Install Date": {
			"asset_id": 0, "type": 1, "manufactured": 2, "installed": 3,
		},
		"asset_id,type,Last_Pressure_Test,Bar Code,Asset Status": {
			"asset_id": 0, "type": 1, "last_pressure_test": 2, "barcode": 3, "status": 4,
		},
	} {
		h, err := readHeader(strings.Split(line, ","))
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		got := map[string]int{"asset_id": h.id, "type": h.typ}
		for _, f := range h.fields {
			got[f.name] = f.cell
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", line, diff)
		}
	}
}

func TestReadHeader_RequiredColumnMissing_NamesIt(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"level,notes":         "the first line must name the columns, and has none for asset_id and type",
		"asset_id,level":      "the first line must name the columns, and has none for type",
		"FE-001,Fire blanket": "the first line must name the columns, and has none for asset_id and type",
		"tag;type;level":      "the first line must name the columns, and has none for asset_id and type",
		"type":                "the first line must name the columns, and has none for asset_id",
	} {
		_, err := readHeader(strings.Split(line, ","))
		if got := messageOf(t, err); got != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
}

// Each header names one column; otherwise the column would depend on the order of the table.
func TestColumns_Synonyms_DoNotOverlap(t *testing.T) {
	t.Parallel()
	owner := map[string]string{}
	for _, c := range columns {
		for _, s := range append([]string{foldWords(c.name)}, c.synonyms...) {
			if s != foldWords(s) {
				t.Errorf("%q is not as foldWords returns it", s)
			}
			if other, taken := owner[s]; taken {
				t.Errorf("%q is both %s and %s", s, other, c.name)
			}
			owner[s] = c.name
		}
	}
	for _, s := range append(idHeaders, typeHeaders...) {
		if other, taken := owner[s]; taken && other != "description" {
			t.Errorf("%q is both a required column and %s", s, other)
		}
	}
}

func messageOf(t *testing.T, err error) string {
	t.Helper()
	if got := firemode.CodeOf(err); err == nil || got != firemode.CodeInvalid {
		t.Fatalf("error %v of code %d, want CodeInvalid", err, got)
	}
	return err.Error()
}

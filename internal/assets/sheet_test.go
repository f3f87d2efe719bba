package assets

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"firemode"
)

const sheetHeader = "asset_id,type,level,installed,barcode,status,notes\n"

func TestReadSheet_InvalidRow_IsRejectedAlone(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ rows, want string }{
		"missing id": {" ,Fire blanket,G,,,,\n", "2  the id is missing"},
		"characters of an id": {
			"FE 1,Fire blanket,G,,,,\n",
			`2 FE 1 the id "FE 1" may have only letters A to Z, digits, - and _, at most 64 of them`,
		},
		"id of a system": {
			"system-FE,Fire blanket,G,,,,\n",
			"2 system-FE ids that begin with system- and site- are reserved for the building's systems and the site",
		},
		"id twice": {
			"A,Fire blanket,,,,,\nB,Fire blanket,,,,,\nA,Fire blanket,,,,,\n",
			"4 A the id is already on line 2",
		},
		"id of a rejected row": {
			"A,Fire blanket,,31/02/2020,,,\nA,Fire blanket,,,,,\n",
			`2 A installed: "31/02/2020" is not a day in the calendar; 3 A the id is already on line 2`,
		},
		"missing type": {"A,,,,,,\n", "2 A the type is missing"},
		"unknown type": {
			"A,Halon 1211 bottle,,,,,\n",
			`2 A "Halon 1211 bottle" is no known type of asset`,
		},
		"type of a system": {
			"A,system-SK,,,,,\n",
			`2 A "system-SK" is a system or a site; a register holds assets only`,
		},
		"impossible date": {
			"A,Fire blanket,,31/02/2020,,,\n",
			`2 A installed: "31/02/2020" is not a day in the calendar`,
		},
		"unknown status": {
			"A,Fire blanket,,,,maybe,\n",
			`2 A status: "maybe" is not a status; use in service, out of service or decommissioned`,
		},
		"barcode twice": {
			"A,Fire blanket,,,77,,\nB,Fire blanket,,,77,,\n",
			"3 B the barcode 77 is already on line 2",
		},
		"too few cells":  {"A,Fire blanket\n", "2 A the row has 2 cells where the first line has 7"},
		"too many cells": {"A,Fire blanket,,,,,,,\n", "2 A the row has 9 cells where the first line has 7"},
		"a note too long": {
			"A,Fire blanket,,,,," + strings.Repeat("é", 2001) + "\n",
			"2 A notes: is 2001 characters long; the limit is 2000",
		},
		"a control character": {"A,Fire blanket,,,,,\x00\n", "2 A notes: holds the control character U+0000"},
		"a quote inside quotes": {
			"A,\"Fire \"blanket\"\",,,,,\n",
			"2  there is text after the closing quote of a cell",
		},
		"rows left blank": {",,,,,,\n , ,,,,,\n\n", ""},
		"barcode of a rejected row": {
			"A,Halon,,,77,,\nB,Fire blanket,,,77,,\n",
			`2 A "Halon" is no known type of asset`,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s, err := readSheet(strings.NewReader(sheetHeader + test.rows))
			if err != nil {
				t.Fatal(err)
			}
			if got := describeRejections(s.rejected); got != test.want {
				t.Errorf("rejected %s\nwant     %s", got, test.want)
			}
		})
	}
}

func TestReadSheet_NormalisesCells(t *testing.T) {
	t.Parallel()
	s, err := readSheet(strings.NewReader(sheetHeader +
		" FE-001 , EXTINGUISHER  ABE 4.5KG ,Level 3,29-Feb-24, 0123 ,IN SERVICE,\" ring first\r\nkey 12 \"\r\n" +
		"FE-002,extinguisher_powder,,,,,\n"))
	if err != nil || len(s.rows) != 2 {
		t.Fatalf("%d rows, %v, rejected %v", len(s.rows), err, s.rejected)
	}
	want := []firemode.Asset{
		{
			ID: "FE-001", Type: "extinguisher_powder", System: "FE", Description: "EXTINGUISHER ABE 4.5KG",
			Level: "L03", Installed: "2024-02-29", Barcode: "0123",
			Status: firemode.AssetInService, Notes: "ring first\nkey 12",
		},
		{ID: "FE-002", Type: "extinguisher_powder", System: "FE"},
	}
	for i, w := range want {
		if diff := cmp.Diff(w, s.rows[i].asset); diff != "" {
			t.Errorf("row %d (-want +got)\n%s", i, diff)
		}
	}
}

func TestReadSheet_DescriptionDefaultsToTheWordsOfTheType(t *testing.T) {
	t.Parallel()
	s, err := readSheet(
		strings.NewReader(
			"Tag,Type,Description\nA,Fire blanket 1.2x1.8,\nB,Fire blanket,kitchen blanket\nC,fire_blanket,\n",
		),
	)
	if err != nil || len(s.rows) != 3 {
		t.Fatalf("%v, rejected %v", err, s.rejected)
	}
	for i, want := range []string{"Fire blanket 1.2x1.8", "kitchen blanket", ""} {
		if got := s.rows[i].asset.Description; got != want {
			t.Errorf("row %d: description %q, want %q", i, got, want)
		}
	}
}

func TestReadSheet_UnreadableFile_IsRefused(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		file, want string
		code       firemode.Code
	}{
		"empty": {"", "the file is empty; its first line must name the columns", firemode.CodeInvalid},
		"broken header": {
			"\"a\n", "the first line must name the columns: a quote is opened and never closed", firemode.CodeInvalid,
		},
		"too many rows": {
			"id,type\n" + strings.Repeat("x\n", MaxRows+1),
			"a register of more than 50000 rows cannot be imported at once; split the file", firemode.CodeTooLarge,
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := readSheet(strings.NewReader(test.file))
			if got := firemode.CodeOf(err); err == nil || got != test.code || err.Error() != test.want {
				t.Errorf("%v of code %d, want %q of code %d", err, got, test.want, test.code)
			}
		})
	}
	if s, err := readSheet(strings.NewReader("id,type\n" + strings.Repeat("x\n", MaxRows))); err != nil ||
		len(s.rejected) != MaxRows {
		t.Errorf("%v, want MaxRows rows to be read", err)
	}
}

func TestReadSheet_HarbourTower_Has460Rows(t *testing.T) {
	t.Parallel()
	f, err := os.Open("../seed/harbour_tower_assets.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s, err := readSheet(f)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.rows) != 460 {
		t.Errorf("%d rows, want 460", len(s.rows))
	}
	levels := map[string]bool{}
	for _, r := range s.rows {
		levels[r.asset.Level] = true
		for _, d := range []string{r.asset.Manufactured, r.asset.Installed, r.asset.LastPressureTest} {
			if d != "" && len(d) != len("2006-01-02") {
				t.Errorf("line %d: date %q", r.line, d)
			}
		}
	}
	if len(levels) != 18 {
		t.Errorf("%d levels, want 18: %v", len(levels), levels)
	}
}

// A sheet keeps the text of a row and some 600 bytes, and nothing of unknown columns.
func TestReadSheet_KeepsOnlyKnownColumns(t *testing.T) {
	const rows = 10_000
	var text strings.Builder
	text.WriteString("Tag,Type,Remarks,Invoice text\n")
	for i := range rows {
		fmt.Fprintf(&text, "FE-%05d,Extinguisher ABE 4.5kg,key %d,%01000d\n", i, i, i)
	}
	file := text.String()
	before := liveHeap()
	s, err := readSheet(strings.NewReader(file))
	after := liveHeap()
	if err != nil || len(s.rows) != rows {
		t.Fatalf("%d rows, %v", len(s.rows), err)
	}
	if perRow := (after - before) / rows; perRow > 900 {
		t.Errorf("%d bytes kept of each row of 1040", perRow)
	}
	runtime.KeepAlive(s)
	runtime.KeepAlive(file) // else its end would hide what is kept
}

func describeRejections(list []Rejection) string {
	lines := make([]string, len(list))
	for i, r := range list {
		lines[i] = fmt.Sprintf("%d %s %s", r.Line, r.AssetID, r.Reason)
	}
	return strings.Join(lines, "; ")
}

func liveHeap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

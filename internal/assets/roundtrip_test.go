package assets_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"firemode"
	"firemode/internal/assets"
	"firemode/internal/rules"
)

// Whatever assets the service takes, exported and imported again they are unchanged.
func TestExportedIsImportedUnchanged(t *testing.T) {
	o := newOffice(t)
	ctx := o.as(manager)
	buildingsMade := 0
	rapid.Check(t, func(t *rapid.T) {
		buildingsMade++
		b, err := o.Create(ctx, assets.NewBuilding{Name: fmt.Sprint("Site ", buildingsMade), Address: "1 Quay St"})
		if err != nil {
			t.Fatal(err)
		}
		created := 0
		for i, a := range rapid.SliceOfN(register(), 1, 8).Draw(t, "assets") {
			a.ID += firemode.AssetID(fmt.Sprint(i))
			if _, err := o.CreateAsset(ctx, b.ID, a); err == nil {
				created++
			} else if code := firemode.CodeOf(err); code != firemode.CodeInvalid && code != firemode.CodeConflict {
				t.Fatal(err)
			}
		}
		before := o.register(b.ID)
		var file bytes.Buffer
		if err := o.Export(ctx, b.ID, &file); err != nil {
			t.Fatal(err)
		}
		report, err := o.Import(ctx, b.ID, bytes.NewReader(file.Bytes()), false)
		if err != nil || report.Unchanged != created || len(report.Rejected) > 0 {
			t.Fatalf("%v, %+v, want %d unchanged\n%s", err, report, created, file.String())
		}
		if diff := cmp.Diff(before, o.register(b.ID)); diff != "" {
			t.Fatalf("changed:\n%s", diff)
		}
	})
}

// assets draws assets as somebody could enter them, with everything that is hard on spreadsheets.
func register() *rapid.Generator[firemode.Asset] {
	var types []string
	for _, t := range rules.Types() {
		if t.Kind == firemode.KindAsset {
			types = append(types, t.Code)
		}
	}
	text := rapid.OneOf(
		rapid.StringMatching(`'{0,2}[=+@-]?[A-Za-z0-9 ,;"'\n\t\r]{0,12}`),
		rapid.StringN(0, 20, -1).Filter(func(s string) bool {
			return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
		}),
	)
	day := rapid.SampledFrom([]string{"", "2024-02-29", "29/02/2024", "1-Jul-68"})
	return rapid.Custom(func(t *rapid.T) firemode.Asset {
		return firemode.Asset{
			ID:   firemode.AssetID(rapid.StringMatching(`[A-Za-z0-9_-]{0,8}`).Draw(t, "id")),
			Type: rapid.SampledFrom(append(types, "EXTINGUISHER ABE 9kg", " Fire  door, hinged")).Draw(t, "type"), Description: text.Draw(t, "description"),
			Level:    rapid.OneOf(text, rapid.SampledFrom([]string{"Level 3", "-1", "G", "B1", "Plant deck"})).Draw(t, "level"),
			Location: text.Draw(t, "location"), Make: text.Draw(t, "make"), Model: text.Draw(t, "model"), Serial: text.Draw(t, "serial"),
			Manufactured: day.Draw(t, "manufactured"), Installed: day.Draw(t, "installed"), LastPressureTest: day.Draw(t, "tested"),
			Barcode: text.Draw(t, "barcode"), Status: rapid.SampledFrom([]string{"", "O/S", "decommissioned"}).Draw(t, "status"), Notes: text.Draw(t, "notes"),
		}
	})
}

// largeRegister is a spreadsheet of n rows as contractors have them, about 130 bytes each.
func largeRegister(n int) string {
	var b strings.Builder
	b.WriteString("Asset ID,Type,Level,Location,Make,Serial,Installed,Barcode,Status,Notes\r\n")
	for i := range n {
		fmt.Fprintf(&b, "FE-%05d,Extinguisher ABE 4.5kg,Level %d,corridor east,FlameStop,A%06d,29-Feb-24,93%010d,in service,\"ring first\r\nkey %d\"\r\n", i, i%40, i, i, i)
	}
	return b.String()
}

// Several chunks, the last of them not full. BenchmarkImport takes 20 000.
func TestImportOfALargeRegister(t *testing.T) {
	o := newOffice(t)
	tower := o.tower()
	const rows = 4_321
	file := largeRegister(rows)
	wantReport(t, o.load(tower, file), rows, 0, 0)
	report, err := o.Import(o.as(manager), tower, strings.NewReader(file), true)
	o.must(err)
	wantReport(t, report, 0, 0, rows)
}

func BenchmarkImport(b *testing.B) {
	o := newOffice(b)
	file := largeRegister(20_000)
	for i := 0; b.Loop(); i++ {
		made, err := o.Create(o.as(manager), assets.NewBuilding{Name: fmt.Sprint("Site ", i), Address: "1 Quay St"})
		o.must(err)
		o.load(made.ID, file)
	}
}

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

// Any register is unchanged after an export and an import of that export.
func TestExport_Imported_IsUnchanged(t *testing.T) {
	t.Parallel()
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

// register draws assets as users could enter them, with everything that is hard on spreadsheets.
func register() *rapid.Generator[firemode.Asset] {
	types := []string{"EXTINGUISHER ABE 9kg", " Fire  door, hinged"}
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
	level := rapid.OneOf(text, rapid.SampledFrom([]string{"Level 3", "-1", "G", "B1", "Plant deck"}))
	day := rapid.SampledFrom([]string{"", "2024-02-29", "29/02/2024", "1-Jul-68"})
	return rapid.Custom(func(t *rapid.T) firemode.Asset {
		return firemode.Asset{
			ID:               firemode.AssetID(rapid.StringMatching(`[A-Za-z0-9_-]{0,8}`).Draw(t, "id")),
			Type:             rapid.SampledFrom(types).Draw(t, "type"),
			Description:      text.Draw(t, "description"),
			Level:            level.Draw(t, "level"),
			Location:         text.Draw(t, "location"),
			Make:             text.Draw(t, "make"),
			Model:            text.Draw(t, "model"),
			Serial:           text.Draw(t, "serial"),
			Manufactured:     day.Draw(t, "manufactured"),
			Installed:        day.Draw(t, "installed"),
			LastPressureTest: day.Draw(t, "tested"),
			Barcode:          text.Draw(t, "barcode"),
			Status:           rapid.SampledFrom([]string{"", "O/S", "decommissioned"}).Draw(t, "status"),
			Notes:            text.Draw(t, "notes"),
		}
	})
}

package assets_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"firemode"
	"firemode/internal/assets"
	"firemode/internal/store"
)

var extinguisher = firemode.Asset{
	ID: "FE-001", Type: "Extinguisher ABE 4.5kg", Level: "Level 3", Location: " lift  lobby ", Installed: "29/02/2024", Barcode: "0123", Notes: "a\r\nb",
	Baselines: []firemode.Baseline{{Measurement: "pressure_kpa", Value: "1200", Unit: "kPa", Source: "Data plate", Date: "2024-02-29"}},
}

func TestCreateAsset(t *testing.T) {
	o := newOffice(t)
	ctx, tower := o.as(manager), o.tower()
	a, err := o.CreateAsset(ctx, tower, extinguisher)
	o.must(err)
	want := extinguisher
	want.Org, want.Building, want.Type, want.System, want.Description = "org", tower, "extinguisher_powder", "FE", "Extinguisher ABE 4.5kg"
	want.Level, want.Location, want.Installed, want.Notes = "L03", "lift lobby", "2024-02-29", "a\nb"
	want.Status, want.Version, want.CreatedAt, want.UpdatedAt = firemode.AssetInService, 1, a.CreatedAt, a.CreatedAt
	if diff := cmp.Diff(want, a); diff != "" || a.CreatedAt.IsZero() {
		t.Errorf("created (-want +got)\n%s", diff)
	}
	got, err := o.Asset(ctx, tower, "FE-001")
	o.must(err)
	if diff := cmp.Diff(a, got); diff != "" {
		t.Errorf("created and read differ:\n%s", diff)
	}
	again, err := o.CreateAsset(ctx, tower, extinguisher)
	o.must(err)
	if diff := cmp.Diff(a, again); diff != "" {
		t.Errorf("created twice:\n%s", diff)
	}
	changed := extinguisher
	changed.Location = "kitchen"
	_, err = o.CreateAsset(ctx, tower, changed)
	wantCode(t, "same id, another location", err, firemode.CodeConflict)
	_, err = o.CreateAsset(ctx, tower, firemode.Asset{ID: "FE-002", Type: "fire_blanket", Barcode: "0123"})
	wantCode(t, "a barcode that is taken", err, firemode.CodeConflict)
	_, err = o.CreateAsset(ctx, "nowhere", extinguisher)
	wantCode(t, "no such building", err, firemode.CodeNotFound)
	byCode, err := o.CreateAsset(ctx, tower, firemode.Asset{ID: "FB-001", Type: "fire_blanket", Status: "O/S"})
	o.must(err)
	if byCode.Description != "Fire blanket" || byCode.Status != firemode.AssetOutOfService {
		t.Errorf("created by code: %+v", byCode)
	}
	said, _ := o.audits()
	if want := []string{"building.create tower", "asset.create tower/FE-001", "asset.create tower/FB-001"}; !slices.Equal(said, want) {
		t.Errorf("audit log %q, want %q", said, want)
	}
}

func TestCreateAssetNamesEveryFault(t *testing.T) {
	o := newOffice(t)
	_, err := o.CreateAsset(o.as(manager), o.tower(), firemode.Asset{
		ID: "A B", Type: "Halon bottle", Location: strings.Repeat("x", 201), Installed: "yesterday", Status: "maybe", Baselines: []firemode.Baseline{{Measurement: "x", Value: "1"}},
	})
	wantDetails(t, err, []firemode.Detail{
		{Field: "asset_id", Reason: `the id "A B" may have only letters A to Z, digits, - and _, at most 64 of them`},
		{Field: "type", Reason: `"Halon bottle" is no known type of asset`},
		{Field: "location", Reason: "is 201 characters long; the limit is 200"},
		{Field: "installed", Reason: `"yesterday" is not a date; write it as 2024-02-29, 29/02/2024 or 29-Feb-24`},
		{Field: "status", Reason: `"maybe" is not a status; use in service, out of service or decommissioned`},
		{Field: "baselines[0].unit", Reason: "is required"},
		{Field: "baselines[0].source", Reason: "is required"},
		{Field: "baselines[0].date", Reason: `"" is not a date; write it as 2024-02-29, 29/02/2024 or 29-Feb-24`},
	})
}

func TestPatchAsset(t *testing.T) {
	o := newOffice(t)
	ctx, tower := o.as(manager), o.tower()
	_, err := o.CreateAsset(ctx, tower, extinguisher)
	o.must(err)
	_, err = o.CreateAsset(ctx, tower, firemode.Asset{ID: "FB-001", Type: "fire_blanket", Barcode: "77"})
	o.must(err)
	kind, level, none, taken := "Extinguisher CO2 5kg", "Ground", "", "77"

	a, err := o.PatchAsset(ctx, tower, "FE-001", 1, assets.AssetPatch{Type: &kind, Level: &level, Barcode: &none})
	o.must(err)
	if a.Type != "extinguisher_co2" || a.Description != kind || a.Level != "G" || a.Barcode != "" || a.Version != 2 || len(a.Baselines) != 1 {
		t.Errorf("patched %+v", a)
	}
	got, err := o.Asset(ctx, tower, "FE-001")
	o.must(err)
	if diff := cmp.Diff(a, got); diff != "" {
		t.Errorf("patched and read differ:\n%s", diff)
	}
	same, err := o.PatchAsset(ctx, tower, "FE-001", 0, assets.AssetPatch{Level: &level, Status: &none})
	o.must(err)
	if same.Version != 2 || same.Status != firemode.AssetInService {
		t.Errorf("a patch that changes nothing made %+v", same)
	}
	_, err = o.PatchAsset(ctx, tower, "FE-001", 1, assets.AssetPatch{Notes: &none})
	wantCode(t, "another version", err, firemode.CodeChanged)
	_, err = o.PatchAsset(ctx, tower, "FE-001", 2, assets.AssetPatch{Barcode: &taken})
	wantCode(t, "a barcode that is taken", err, firemode.CodeConflict)
	_, err = o.PatchAsset(ctx, tower, "FE-999", 1, assets.AssetPatch{})
	wantCode(t, "no such asset", err, firemode.CodeNotFound)
	_, err = o.PatchAsset(ctx, tower, "FE-001", 2, assets.AssetPatch{Type: &none, Installed: &kind})
	wantDetails(t, err, []firemode.Detail{
		{Field: "type", Reason: "the type is missing"},
		{Field: "installed", Reason: `"Extinguisher CO2 5kg" is not a date; write it as 2024-02-29, 29/02/2024 or 29-Feb-24`},
	})
	_, last := o.audits()
	want := map[string]any{
		"type":        map[string]any{"from": "extinguisher_powder", "to": "extinguisher_co2"},
		"description": map[string]any{"from": "Extinguisher ABE 4.5kg", "to": kind},
		"level":       map[string]any{"from": "L03", "to": "G"},
		"barcode":     map[string]any{"from": "0123", "to": ""},
	}
	if diff := cmp.Diff(want, last); diff != "" {
		t.Errorf("audit data (-want +got)\n%s", diff)
	}
}

func TestPutBaselines(t *testing.T) {
	o := newOffice(t)
	ctx, tower := o.as(manager), o.tower()
	_, err := o.CreateAsset(ctx, tower, extinguisher)
	o.must(err)
	list := []firemode.Baseline{
		{Measurement: "mass_kg", Value: "6.80", Unit: "kg", Source: "Data plate", Date: "2024-02-29"},
		{Measurement: "charge_kg", Value: "4.5", Unit: "kg", Source: "Data plate", Date: "29/02/2024"},
	}
	a, err := o.PutBaselines(ctx, tower, "FE-001", list)
	o.must(err)
	got, err := o.Asset(ctx, tower, "FE-001")
	o.must(err)
	if diff := cmp.Diff(a, got); diff != "" {
		t.Errorf("put and read differ:\n%s", diff)
	}
	list[1].Date = "2024-02-29"
	slices.Reverse(list)
	if diff := cmp.Diff(list, a.Baselines); diff != "" || a.Version != 2 {
		t.Errorf("version %d, baselines (-want +got)\n%s", a.Version, diff)
	}
	same, err := o.PutBaselines(ctx, tower, "FE-001", list)
	o.must(err)
	if same.Version != 2 {
		t.Errorf("the same baselines made version %d", same.Version)
	}
	none, err := o.PutBaselines(ctx, tower, "FE-001", nil)
	o.must(err)
	if len(none.Baselines) != 0 || none.Version != 3 {
		t.Errorf("put none: %+v", none)
	}
	_, err = o.PutBaselines(ctx, tower, "FE-999", list)
	wantCode(t, "no such asset", err, firemode.CodeNotFound)
	_, err = o.PutBaselines(ctx, tower, "FE-001", []firemode.Baseline{{}})
	wantCode(t, "an empty baseline", err, firemode.CodeInvalid)
	said, _ := o.audits()
	want := []string{"building.create tower", "asset.create tower/FE-001", "asset.baselines tower/FE-001", "asset.baselines tower/FE-001"}
	if !slices.Equal(said, want) {
		t.Errorf("audit log %q, want %q", said, want)
	}
}

func TestAssetsFiltersByLevelHoweverWritten(t *testing.T) {
	o := newOffice(t)
	ctx, tower := o.as(manager), o.tower()
	_, err := o.CreateAsset(ctx, tower, extinguisher)
	o.must(err)
	for level, want := range map[string]int{"L03": 1, "level 3": 1, "L04": 0, "": 1} {
		page, err := o.Assets(o.as(owner), tower, store.AssetFilter{Level: level}, store.Page{Limit: 10})
		o.must(err)
		if len(page) != want {
			t.Errorf("level %q: %d assets, want %d", level, len(page), want)
		}
	}
}

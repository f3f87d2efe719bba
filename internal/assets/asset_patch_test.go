package assets_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"firemode"
	"firemode/internal/assets"
)

func TestPatchAsset_ChangesOnlyGivenFields(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx, tower := o.as(manager), o.tower()
	_, err := o.CreateAsset(ctx, tower, extinguisher)
	o.must(err)
	_, err = o.CreateAsset(ctx, tower, firemode.Asset{ID: "FB-001", Type: "fire_blanket", Barcode: "77"})
	o.must(err)
	kind, level, none, taken := "Extinguisher CO2 5kg", "Ground", "", "77"

	a, err := o.PatchAsset(ctx, tower, "FE-001", 1, assets.AssetPatch{Type: &kind, Level: &level, Barcode: &none})
	o.must(err)
	if a.Type != "extinguisher_co2" || a.Description != kind || a.Level != "G" || a.Barcode != "" || a.Version != 2 ||
		len(a.Baselines) != 1 {
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
		{
			Field:  "installed",
			Reason: `"Extinguisher CO2 5kg" is not a date; write it as 2024-02-29, 29/02/2024 or 29-Feb-24`,
		},
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

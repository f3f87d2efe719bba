package assets_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"firemode"
	"firemode/internal/store"
)

func TestCreateAsset_SameContentTwice_IsOneCreation(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx, tower := o.as(manager), o.tower()
	a, err := o.CreateAsset(ctx, tower, extinguisher)
	o.must(err)
	want := extinguisher
	want.Org, want.Building = "org", tower
	want.Type, want.System, want.Description = "extinguisher_powder", "FE", "Extinguisher ABE 4.5kg"
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
	entries := []string{"building.create tower", "asset.create tower/FE-001", "asset.create tower/FB-001"}
	if !slices.Equal(said, entries) {
		t.Errorf("audit log %q, want %q", said, entries)
	}
}

func TestCreateAsset_InvalidFields_NamesEach(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	_, err := o.CreateAsset(o.as(manager), o.tower(), firemode.Asset{
		ID: "A B", Type: "Halon bottle", Location: strings.Repeat("x", 201), Installed: "yesterday", Status: "maybe",
		Baselines: []firemode.Baseline{{Measurement: "x", Value: "1"}},
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

func TestAssets_FilterByLevel_NormalisesIt(t *testing.T) {
	t.Parallel()
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

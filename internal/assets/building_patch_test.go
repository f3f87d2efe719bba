package assets_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"firemode"
	"firemode/internal/assets"
)

func TestPatch_ChangesOnlyGivenFields(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx, tower := o.as(manager), o.tower()
	name, archived, owners := "Harbour Tower East", firemode.BuildingArchived, []firemode.UserID{"owner2", "owner"}
	b, err := o.Patch(ctx, tower, 1, assets.Patch{Name: &name, Status: &archived, Owners: &owners})
	o.must(err)
	got, err := o.Get(ctx, tower)
	o.must(err)
	if diff := cmp.Diff(b, got); diff != "" {
		t.Errorf("patched and read differ:\n%s", diff)
	}
	if b.Version != 2 || b.Name != name || b.Status != archived ||
		!slices.Equal(b.Owners, []firemode.UserID{"owner", "owner2"}) {
		t.Errorf("patched %+v", b)
	}
	same, err := o.Patch(ctx, tower, 2, assets.Patch{Name: &name})
	o.must(err)
	if same.Version != 2 {
		t.Errorf("a patch that changes nothing made version %d", same.Version)
	}
	said, last := o.audits()
	if want := []string{"building.create tower", "building.update tower"}; !slices.Equal(said, want) {
		t.Errorf("audit log %q, want %q", said, want)
	}
	want := map[string]any{
		"site_name": map[string]any{"from": "Harbour Tower", "to": name},
		"status":    map[string]any{"from": "active", "to": "archived"},
		"owner_ids": map[string]any{"from": []any{"owner"}, "to": []any{"owner", "owner2"}},
	}
	if diff := cmp.Diff(want, last); diff != "" {
		t.Errorf("audit data (-want +got)\n%s", diff)
	}
}

func TestPatch_Invalid_ChangesNothing(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx, tower := o.as(manager), o.tower()
	_, err := o.Create(ctx, assets.NewBuilding{ID: "depot", Name: "Depot", Address: "1 Quay St"})
	o.must(err)
	empty, depot, gone, staff := "", "DEPOT", "gone", []firemode.UserID{"manager"}
	_, err = o.Patch(ctx, tower, 7, assets.Patch{Name: &depot})
	wantCode(t, "another version", err, firemode.CodeChanged)
	_, err = o.Patch(ctx, tower, 1, assets.Patch{Name: &depot})
	wantCode(t, "a name and address that are taken", err, firemode.CodeConflict)
	_, err = o.Patch(ctx, "nowhere", 1, assets.Patch{Name: &depot})
	wantCode(t, "no such building", err, firemode.CodeNotFound)
	_, err = o.Patch(ctx, tower, 1, assets.Patch{Name: &empty, Status: &gone})
	wantDetails(
		t,
		err,
		[]firemode.Detail{
			{Field: "site_name", Reason: "is required"},
			{Field: "status", Reason: "must be active or archived"},
		},
	)
	_, err = o.Patch(ctx, tower, 1, assets.Patch{Owners: &staff})
	wantDetails(
		t,
		err,
		[]firemode.Detail{{Field: "owner_ids[0]", Reason: "is not a user of role owner in this organisation"}},
	)
	b, err := o.Get(ctx, tower)
	o.must(err)
	if b.Version != 1 || b.Name != "Harbour Tower" {
		t.Errorf("it was changed: %+v", b)
	}
}

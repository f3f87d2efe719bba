package assets_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"firemode"
)

func TestPutBaselines_ReplacesAll(t *testing.T) {
	t.Parallel()
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
	want := []string{
		"building.create tower",
		"asset.create tower/FE-001",
		"asset.baselines tower/FE-001",
		"asset.baselines tower/FE-001",
	}
	if !slices.Equal(said, want) {
		t.Errorf("audit log %q, want %q", said, want)
	}
}

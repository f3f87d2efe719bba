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

func TestCreate_SameContentTwice_IsOneCreation(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx := o.as(manager)
	n := assets.NewBuilding{
		ID: "tower", Name: " Harbour  Tower ", Address: "1 Quay St",
		Metadata: map[string]any{"storeys": 18}, Owners: []firemode.UserID{"owner2", "owner"},
	}
	b, err := o.Create(ctx, n)
	o.must(err)
	if b.Name != "Harbour Tower" || b.Status != firemode.BuildingActive || b.Version != 1 || b.Org != "org" ||
		b.CreatedAt.IsZero() {
		t.Errorf("created %+v", b)
	}
	got, err := o.Get(ctx, "tower")
	o.must(err)
	if diff := cmp.Diff(b, got); diff != "" {
		t.Errorf("created and read differ:\n%s", diff)
	}
	again, err := o.Create(ctx, n)
	o.must(err)
	if diff := cmp.Diff(b, again); diff != "" {
		t.Errorf("created twice:\n%s", diff)
	}
	n.Address = "2 Quay St"
	_, err = o.Create(ctx, n)
	wantCode(t, "same id, another address", err, firemode.CodeConflict)
	_, err = o.Create(ctx, assets.NewBuilding{Name: "harbour tower", Address: "1 quay st"})
	wantCode(t, "same name and address", err, firemode.CodeConflict)
	minted, err := o.Create(ctx, assets.NewBuilding{Name: "Depot", Address: "1 Quay St"})
	o.must(err)
	if !strings.HasPrefix(string(minted.ID), "id-") {
		t.Errorf("minted id %q", minted.ID)
	}
	_, err = o.Create(o.as(foreign), assets.NewBuilding{ID: "tower", Name: "Harbour Tower", Address: "1 Quay St"})
	o.must(err) // another organisation's ids and names are its own
	said, _ := o.audits()
	if want := []string{"building.create tower", "building.create " + string(minted.ID)}; !slices.Equal(said, want) {
		t.Errorf("audit log %q, want %q", said, want)
	}
}

func TestCreate_FieldOutOfBounds_NamesIt(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	one := func(field, reason string) []firemode.Detail { return []firemode.Detail{{Field: field, Reason: reason}} }
	for name, test := range map[string]struct {
		change func(*assets.NewBuilding)
		want   []firemode.Detail
	}{
		"longest name": {func(n *assets.NewBuilding) { n.Name = strings.Repeat("é", 200) }, nil},
		"no name":      {func(n *assets.NewBuilding) { n.Name = " " }, one("site_name", "is required")},
		"long name": {
			func(n *assets.NewBuilding) { n.Name = strings.Repeat("x", 201) },
			one("site_name", "is 201 characters long; the limit is 200"),
		},
		"no address": {func(n *assets.NewBuilding) { n.Address = "" }, one("site_address", "is required")},
		"long address": {
			func(n *assets.NewBuilding) { n.Address = strings.Repeat("x", 301) },
			one("site_address", "is 301 characters long; the limit is 300"),
		},
		"NUL": {
			func(n *assets.NewBuilding) { n.Name = "a\x00b" },
			one("site_name", "holds the control character U+0000"),
		},
		"bad id": {
			func(n *assets.NewBuilding) { n.ID = "a b" },
			one("building_id", "must be 1 to 64 of the letters A to Z, digits, - and _"),
		},
		"metadata": {
			func(n *assets.NewBuilding) { n.Metadata = map[string]any{"x": "\x00"} },
			one("metadata", "holds the character U+0000"),
		},
		"owners": {func(n *assets.NewBuilding) {
			n.Owners = []firemode.UserID{"owner", "manager", "nobody", "owner"}
		}, []firemode.Detail{
			{Field: "owner_ids[1]", Reason: "is not a user of role owner in this organisation"},
			{Field: "owner_ids[2]", Reason: "is not a user of role owner in this organisation"},
			{Field: "owner_ids[3]", Reason: "is a duplicate"},
		}},
		"too many owners": {
			func(n *assets.NewBuilding) { n.Owners = make([]firemode.UserID, 101) },
			one("owner_ids", "at most 100 owners"),
		},
	} {
		t.Run(name, func(t *testing.T) {
			n := assets.NewBuilding{Name: name, Address: "1 Quay St"}
			test.change(&n)
			_, err := o.Create(o.as(manager), n)
			wantDetails(t, err, test.want)
		})
	}
}

func TestGet_Owner_SeesOnlyTheirBuildings(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	tower := o.tower()
	depot, err := o.Create(o.as(manager), assets.NewBuilding{ID: "depot", Name: "Depot", Address: "9 Yard Rd"})
	o.must(err)
	list := func(p firemode.Principal) (ids []firemode.BuildingID) {
		page, err := o.List(o.as(p), store.BuildingFilter{}, store.Page{Limit: 10})
		o.must(err)
		for _, b := range page {
			ids = append(ids, b.Row.ID)
		}
		return ids
	}
	for p, want := range map[firemode.Principal][]firemode.BuildingID{
		manager: {tower, depot.ID}, owner: {tower}, other: nil, foreign: nil,
	} {
		if got := list(p); !slices.Equal(got, want) {
			t.Errorf("%s of %s sees %v, want %v", p.User, p.Org, got, want)
		}
	}
	_, err = o.Get(o.as(owner), tower)
	o.must(err)
	for _, p := range []firemode.Principal{other, foreign} {
		_, err = o.Get(o.as(p), tower)
		wantCode(t, "Get", err, firemode.CodeNotFound)
		_, err = o.Asset(o.as(p), tower, "A")
		wantCode(t, "Asset", err, firemode.CodeNotFound)
		_, err = o.Assets(o.as(p), tower, store.AssetFilter{}, store.Page{Limit: 1})
		wantCode(t, "Assets", err, firemode.CodeNotFound)
		wantCode(t, "Export", o.Export(o.as(p), tower, nil), firemode.CodeNotFound)
		_, err = o.Import(o.as(p), tower, strings.NewReader("id,type\n"), true)
		wantCode(t, "Import", err, firemode.CodeNotFound)
	}
	_, err = o.Get(t.Context(), tower)
	wantCode(t, "nobody", err, firemode.CodeUnauthenticated)
}

func TestCreate_SameIdempotencyKey_ReplaysTheResponse(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	claim := store.Idempotency{Scope: "s", Key: "k", Fingerprint: []byte("f")}
	ctx := store.WithIdempotency(o.as(manager), &claim)
	n := assets.NewBuilding{Name: "Depot", Address: "1 Quay St", Metadata: map[string]any{"keys": 3.0}}
	first, err := o.Create(ctx, n)
	o.must(err)
	again, err := o.Create(ctx, n)
	o.must(err)
	if diff := cmp.Diff(first, again); diff != "" || !claim.Replayed {
		t.Errorf("replayed %v, differs:\n%s", claim.Replayed, diff)
	}
}

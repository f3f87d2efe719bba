package storetest

import (
	"context"
	"errors"
	"testing"

	"firemode"
	"firemode/internal/store"
)

func newAsset(id firemode.AssetID, barcode string) firemode.Asset {
	return firemode.Asset{
		Org: "o", Building: "b", ID: id, Type: "extinguisher_powder", System: "FE", Level: "L05",
		Status:  firemode.AssetInService,
		Barcode: barcode, Version: 1, CreatedAt: day(0), UpdatedAt: day(0),
	}
}

// createAssets makes organisation "o", building "b" and its register.
func createAssets(t testing.TB, s store.Database, assets ...firemode.Asset) {
	t.Helper()
	createSessions(t, s, 0)
	update(t, s, func(ctx context.Context, tx store.Tx) error {
		return store.As[store.AssetWriter](tx).CreateAssets(ctx, assets)
	})
}

func assetsOf(t testing.TB, s store.Database, f store.AssetFilter) []firemode.Asset {
	t.Helper()
	return read(t, s, func(ctx context.Context, tx store.ReadTx) ([]firemode.Asset, error) {
		return rows(store.As[store.AssetReader](tx).Assets(ctx, "o", "b", f, everything()))
	})
}

func assetIDs(assets []firemode.Asset) (ids []firemode.AssetID) {
	for _, a := range assets {
		ids = append(ids, a.ID)
	}
	return ids
}

func assetTests() []test {
	return []test{
		{"an id is taken once in the building, and so is a barcode that is one", func(t *testing.T, s store.Database) {
			createAssets(t, s, newAsset("A1", "1"), newAsset("A2", ""), newAsset("A3", ""))
			add := func(assets ...firemode.Asset) func(ctx context.Context, tx store.Tx) error {
				return func(ctx context.Context, tx store.Tx) error {
					return store.As[store.AssetWriter](tx).CreateAssets(ctx, assets)
				}
			}
			taken(t, s, "an asset with this id is in the register already", add(newAsset("A4", ""), newAsset("A1", "")))
			taken(t, s, "this barcode is on another asset of the building", add(newAsset("A4", ""), newAsset("A5",
				"1")))
			taken(t, s, "this barcode is on another asset of the building", func(ctx context.Context,
				tx store.Tx,
			) error {
				return store.As[store.AssetWriter](tx).UpdateAssets(ctx, []firemode.Asset{newAsset("A2", "1")})
			})
			equal(t, assetIDs(assetsOf(t, s, store.AssetFilter{})), []firemode.AssetID{"A1", "A2", "A3"})
			update(t, s, func(ctx context.Context, tx store.Tx) error {
				a := newAsset("A1", "1")
				a.Building = "b2"
				return errors.Join(store.As[store.BuildingWriter](tx).CreateBuilding(ctx, newBuilding("b2", "Other",
					"")), store.As[store.AssetWriter](tx).CreateAssets(ctx, []firemode.Asset{a}))
			})
		}},
		{"a register belongs to a building that is there", func(t *testing.T, s store.Database) {
			refuse(t, s, firemode.CodeNotFound, func(ctx context.Context, tx store.Tx) error {
				return store.As[store.AssetWriter](tx).CreateAssets(ctx, []firemode.Asset{newAsset("A1", "")})
			})
		}},
		{"two assets swap their barcodes", func(t *testing.T, s store.Database) {
			createAssets(t, s, newAsset("A1", "1"), newAsset("A2", "2"), newAsset("A3", "3"))
			update(t, s, func(ctx context.Context, tx store.Tx) error {
				return store.As[store.AssetWriter](tx).UpdateAssets(ctx, []firemode.Asset{
					newAsset("A1", "2"),
					newAsset("A2", "1"), newAsset("A3", ""),
				})
			})
			got := read(t, s, func(ctx context.Context, tx store.ReadTx) (map[string]firemode.AssetID, error) {
				return store.As[store.AssetReader](tx).AssetBarcodes(ctx, "o", "b", []string{"1", "2", "3", ""})
			})
			equal(t, got, map[string]firemode.AssetID{"1": "A2", "2": "A1"})
		}},
		{"UpdateAssets writes all but what it must not", updateAssets},
		{"PutBaselines writes baselines alone", putBaselines},
		{"the filters", assetFilters},
		{"a register is listed by the bytes of its ids", func(t *testing.T, s store.Database) {
			createAssets(t, s)
			listTest[firemode.Asset]{
				add: func(ctx context.Context, tx store.Tx, n int) error {
					return store.As[store.AssetWriter](tx).CreateAssets(ctx,
						[]firemode.Asset{newAsset(firemode.AssetID(name("A", n)), "")})
				},
				list: func(ctx context.Context, tx store.ReadTx, p store.Page) ([]store.Keyed[firemode.Asset], error) {
					return store.As[store.AssetReader](tx).Assets(ctx, "o", "b", store.AssetFilter{System: "FE"}, p)
				},
				n:      func(a firemode.Asset) int { return number(t, string(a.ID)) },
				anyKey: true,
			}.stable(t, s)
			update(t, s, func(ctx context.Context, tx store.Tx) error {
				return store.As[store.AssetWriter](tx).CreateAssets(ctx, []firemode.Asset{
					newAsset("a", ""),
					newAsset("_", ""), newAsset("B", ""), newAsset("-", ""),
				})
			})
			ids := assetIDs(assetsOf(t, s, store.AssetFilter{}))
			equal(t, []firemode.AssetID{ids[0], ids[len(ids)-3], ids[len(ids)-2], ids[len(ids)-1]},
				[]firemode.AssetID{"-", "B", "_", "a"})
		}},
		{"a large register, with the transaction in use meanwhile", largeRegister},
	}
}

func updateAssets(t *testing.T, s store.Database) {
	before := newWorld("o").asset
	before.Building = "b"
	other := newAsset("A2", "2")
	createAssets(t, s, before, other)
	after := firemode.Asset{
		Org: "o", Building: "b", ID: before.ID, Type: "t", Description: "d", System: "SK", Level: "G", Location: "l",
		Make: "m", Model: "o",
		Serial: "s", Manufactured: "1", Installed: "2", LastPressureTest: "3", Barcode: "4", Status: "5",
		Notes:   awkward,
		Version: 1, CreatedAt: day(99), UpdatedAt: day(50),
	}
	update(t, s, func(ctx context.Context, tx store.Tx) error {
		return store.As[store.AssetWriter](tx).UpdateAssets(ctx, []firemode.Asset{after})
	})
	after.CreatedAt, after.Baselines, after.Version = before.CreatedAt, before.Baselines, 2
	equal(t, assetsOf(t, s, store.AssetFilter{}), []firemode.Asset{other, after})
	equal(t, assetIDs(assetsOf(t, s, store.AssetFilter{Text: "tower"})), []firemode.AssetID{before.ID})
	stale := after
	stale.Version = 1
	for code, list := range map[firemode.Code][]firemode.Asset{
		firemode.CodeChanged:  {other, stale},
		firemode.CodeNotFound: {other, newAsset("A3", "")},
	} {
		refuse(t, s, code, func(ctx context.Context, tx store.Tx) error {
			return store.As[store.AssetWriter](tx).UpdateAssets(ctx, list)
		})
	}
	equal(t, assetsOf(t, s, store.AssetFilter{}), []firemode.Asset{other, after})
}

func putBaselines(t *testing.T, s store.Database) {
	a := newAsset("A1", "1")
	createAssets(t, s, a)
	a.Baselines = newWorld("o").asset.Baselines
	asked := a
	asked.Notes = "not written"
	update(t, s, func(ctx context.Context, tx store.Tx) error {
		return store.As[store.AssetWriter](tx).PutBaselines(ctx, asked)
	})
	a.Version = 2
	equal(t, assetsOf(t, s, store.AssetFilter{}), []firemode.Asset{a})
	refuse(t, s, firemode.CodeChanged, func(ctx context.Context, tx store.Tx) error {
		return store.As[store.AssetWriter](tx).PutBaselines(ctx, asked)
	})
	asked.ID = "A2"
	refuse(t, s, firemode.CodeNotFound, func(ctx context.Context, tx store.Tx) error {
		return store.As[store.AssetWriter](tx).PutBaselines(ctx, asked)
	})
}

func assetFilters(t *testing.T, s store.Database) {
	a, b, c := newAsset("A-1_x", "BC%1"), newAsset("A-2", "BC1"), newAsset("A-3", "")
	a.Description, a.Location, a.Make = "Extinguisher ABE 4.5kg", "corridor EAST", "Chubb"
	b.System, b.Level, b.Type, b.Status = "SK", "G", "sprinkler_valve", firemode.AssetOutOfService
	b.Model, b.Serial, b.Notes = "M-9", "SN 0042", "needs a \\ key"
	c.Level = "L06"
	createAssets(t, s, a, b, c)
	for _, f := range []struct {
		filter store.AssetFilter
		want   []firemode.AssetID
	}{
		{store.AssetFilter{}, []firemode.AssetID{"A-1_x", "A-2", "A-3"}},
		{store.AssetFilter{System: "FE"}, []firemode.AssetID{"A-1_x", "A-3"}},
		{store.AssetFilter{System: "fe"}, nil},
		{store.AssetFilter{Level: "G"}, []firemode.AssetID{"A-2"}},
		{store.AssetFilter{Type: "sprinkler_valve"}, []firemode.AssetID{"A-2"}},
		{store.AssetFilter{Status: firemode.AssetOutOfService}, []firemode.AssetID{"A-2"}},
		{store.AssetFilter{System: "FE", Level: "L06"}, []firemode.AssetID{"A-3"}},
		{store.AssetFilter{Text: "abe 4.5KG"}, []firemode.AssetID{"A-1_x"}},
		{store.AssetFilter{Text: "east"}, []firemode.AssetID{"A-1_x"}},
		{store.AssetFilter{Text: "CHUBB"}, []firemode.AssetID{"A-1_x"}},
		{store.AssetFilter{Text: "m-9"}, []firemode.AssetID{"A-2"}},
		{store.AssetFilter{Text: "sn 00"}, []firemode.AssetID{"A-2"}},
		{store.AssetFilter{Text: `\`}, []firemode.AssetID{"A-2"}},
		{store.AssetFilter{Text: "c%1"}, []firemode.AssetID{"A-1_x"}},
		{store.AssetFilter{Text: "_"}, []firemode.AssetID{"A-1_x"}},
		{store.AssetFilter{Text: "a-", System: "SK"}, []firemode.AssetID{"A-2"}},
	} {
		equal(t, assetIDs(assetsOf(t, s, f.filter)), f.want)
	}
}

func largeRegister(t *testing.T, s store.Database) {
	const n = 1203
	var assets []firemode.Asset
	for i := range n {
		assets = append(assets, newAsset(firemode.AssetID(name("A", i)), name("bc", i)))
	}
	createAssets(t, s, assets...)
	seen := 0
	err := s.View(t.Context(), func(tx store.ReadTx) error {
		return store.As[store.AssetReader](tx).EachAsset(t.Context(), "o", "b", func(a firemode.Asset) error {
			equal(t, a, assets[seen])
			seen++
			again, err := store.As[store.AssetReader](tx).Asset(t.Context(), "o", "b", a.ID)
			equal(t, again.ID, a.ID)
			return err
		})
	})
	equal(t, err, nil)
	equal(t, seen, n)
	update(t, s, func(ctx context.Context, tx store.Tx) error {
		return store.As[store.AssetWriter](tx).UpdateAssets(ctx, assets)
	})
	equal(t, read(t, s, func(ctx context.Context, tx store.ReadTx) (firemode.Asset, error) {
		return store.As[store.AssetReader](tx).Asset(ctx, "o", "b", assets[n-1].ID)
	}).Version, 2)
	seen = 0
	err = s.View(t.Context(), func(tx store.ReadTx) error {
		return store.As[store.AssetReader](tx).EachAsset(t.Context(), "o", "b", func(firemode.Asset) error {
			if seen++; seen == 700 {
				return errTest
			}
			return nil
		})
	})
	equal(t, errors.Is(err, errTest), true)
	equal(t, seen, 700)
}

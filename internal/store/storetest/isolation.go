package storetest

import (
	"context"
	"slices"
	"testing"

	"firemode"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// orgRead is one reading method, what it finds in a world, and what it says in an organisation that
// has nothing: empty, or CodeNotFound where empty is nil.
type orgRead struct {
	name  string
	read  func(ctx context.Context, tx store.ReadTx, org firemode.OrgID) (any, error)
	want  func(w world) any
	empty any
}

func isolationTests() []test {
	return []test{
		{"every read finds its organisation's rows exactly as written, and no other's", func(t *testing.T,
			s store.Database,
		) {
			one, two := newWorld("org-one"), newWorld("org-two")
			update(t, s, one.create)
			update(t, s, two.create)
			for _, r := range orgReads() {
				t.Run(r.name, func(t *testing.T) {
					for _, w := range []world{one, two} {
						equal(t, readOrg(t, s, r, w.org.ID), r.want(w))
					}
					got, err := tryRead(t, s, func(ctx context.Context, tx store.ReadTx) (any,
						error,
					) {
						return r.read(ctx, tx, "org-three")
					})
					if r.empty == nil {
						wantCode(t, err, firemode.CodeNotFound)
						return
					}
					equal(t, err, nil)
					equal(t, got, r.empty)
				})
			}
		}},
	}
}

func readOrg(t *testing.T, s store.Database, r orgRead, org firemode.OrgID) any {
	t.Helper()
	return read(t, s, func(ctx context.Context, tx store.ReadTx) (any, error) { return r.read(ctx, tx, org) })
}

func orgReads() []orgRead {
	return slices.Concat(peopleReads(), registerReads(), sessionReads())
}

func peopleReads() []orgRead {
	return []orgRead{
		{"Organisation", func(ctx context.Context, tx store.ReadTx, org firemode.OrgID) (any, error) {
			return store.As[store.OrganisationReader](tx).Organisation(ctx, org)
		}, func(w world) any { return w.org }, nil},
		{"User", func(ctx context.Context, tx store.ReadTx, org firemode.OrgID) (any, error) {
			return store.As[store.UserReader](tx).User(ctx, org, "u1")
		}, func(w world) any { return w.user }, nil},
		{"Users", func(ctx context.Context, tx store.ReadTx, org firemode.OrgID) (any, error) {
			return rows(store.As[store.UserReader](tx).Users(ctx, org, everything()))
		}, func(w world) any { return []firemode.User{w.user} }, []firemode.User{}},
		{"UsersByID", func(ctx context.Context, tx store.ReadTx, org firemode.OrgID) (any, error) {
			return store.As[store.UserReader](tx).UsersByID(ctx, org, []firemode.UserID{"u0", "u1"})
		}, func(w world) any { return []firemode.User{w.user} }, []firemode.User(nil)},
		{"Rules", func(ctx context.Context, tx store.ReadTx, org firemode.OrgID) (any, error) {
			return store.As[store.RuleReader](tx).Rules(ctx, org)
		}, func(w world) any { return []firemode.Rule{w.rule} }, []firemode.Rule(nil)},
		{"Audits", func(ctx context.Context, tx store.ReadTx, org firemode.OrgID) (any, error) {
			return rows(store.As[store.AuditReader](tx).Audits(ctx, org, "", everything()))
		}, func(w world) any { return []ledger.AuditEntry{w.audit} }, []ledger.AuditEntry{}},
		{"Audits of a user", func(ctx context.Context, tx store.ReadTx, org firemode.OrgID) (any, error) {
			return rows(store.As[store.AuditReader](tx).Audits(ctx, org, "u1", everything()))
		}, func(w world) any { return []ledger.AuditEntry{w.audit} }, []ledger.AuditEntry{}},
		{"EachAudit", func(ctx context.Context, tx store.ReadTx, org firemode.OrgID) (any, error) {
			var list []ledger.AuditEntry
			err := store.As[store.AuditReader](tx).EachAudit(ctx, org, func(e ledger.AuditEntry) error {
				list = append(list, e)
				return nil
			})
			return list, err
		}, func(w world) any { return []ledger.AuditEntry{w.audit} }, []ledger.AuditEntry(nil)},
	}
}

func registerReads() []orgRead {
	return []orgRead{
		{"Building", func(ctx context.Context, tx store.ReadTx, org firemode.OrgID) (any, error) {
			return store.As[store.BuildingReader](tx).Building(ctx, org, "b1")
		}, func(w world) any { return w.building }, nil},
		{"Buildings", func(ctx context.Context, tx store.ReadTx, org firemode.OrgID) (any, error) {
			return rows(store.As[store.BuildingReader](tx).Buildings(ctx, org, store.BuildingFilter{Owner: "owner1"},
				everything()))
		}, func(w world) any { return []firemode.Building{w.building} }, []firemode.Building{}},
		{"Asset", func(ctx context.Context, tx store.ReadTx, org firemode.OrgID) (any, error) {
			return store.As[store.AssetReader](tx).Asset(ctx, org, "b1", "FE-001")
		}, func(w world) any { return w.asset }, nil},
		{"Assets", func(ctx context.Context, tx store.ReadTx, org firemode.OrgID) (any, error) {
			return rows(store.As[store.AssetReader](tx).Assets(ctx, org, "b1", store.AssetFilter{}, everything()))
		}, func(w world) any { return []firemode.Asset{w.asset} }, []firemode.Asset{}},
		{"EachAsset", func(ctx context.Context, tx store.ReadTx, org firemode.OrgID) (any, error) {
			var list []firemode.Asset
			err := store.As[store.AssetReader](tx).EachAsset(ctx, org, "b1", func(a firemode.Asset) error {
				list = append(list, a)
				return nil
			})
			return list, err
		}, func(w world) any { return []firemode.Asset{w.asset} }, []firemode.Asset(nil)},
		{"AssetsByID", func(ctx context.Context, tx store.ReadTx, org firemode.OrgID) (any, error) {
			return store.As[store.AssetReader](tx).AssetsByID(ctx, org, "b1", []firemode.AssetID{"FE-001", "FE-002"})
		}, func(w world) any { return []firemode.Asset{w.asset} }, []firemode.Asset(nil)},
		{"AssetBarcodes", func(ctx context.Context, tx store.ReadTx, org firemode.OrgID) (any, error) {
			return store.As[store.AssetReader](tx).AssetBarcodes(ctx, org, "b1", []string{
				"BC-org-one", "BC-org-two",
				"",
			})
		}, func(w world) any {
			return map[string]firemode.AssetID{w.asset.Barcode: "FE-001"}
		}, map[string]firemode.AssetID{}},
	}
}

func sessionReads() []orgRead {
	return []orgRead{
		{"Session", func(ctx context.Context, tx store.ReadTx, org firemode.OrgID) (any, error) {
			return store.As[store.SessionReader](tx).Session(ctx, org, "s1")
		}, func(w world) any { return w.session }, nil},
		{"Sessions", func(ctx context.Context, tx store.ReadTx, org firemode.OrgID) (any, error) {
			return rows(store.As[store.SessionReader](tx).Sessions(ctx, org, store.SessionFilter{
				VisibleTo: "tech1",
				OwnedBy:   "owner2",
			}, everything()))
		}, func(w world) any { return []firemode.Session{w.session} }, []firemode.Session{}},
		{"SessionsByID", func(ctx context.Context, tx store.ReadTx, org firemode.OrgID) (any, error) {
			return store.As[store.SessionReader](tx).SessionsByID(ctx, org, []firemode.SessionID{"s1", "s2"})
		}, func(w world) any { return []firemode.Session{w.session} }, []firemode.Session(nil)},
		{"LastResults", func(ctx context.Context, tx store.ReadTx, org firemode.OrgID) (any, error) {
			return store.As[store.SessionReader](tx).LastResults(ctx, org, "b1")
		}, func(w world) any { return w.last }, map[firemode.ItemID]firemode.LastResult{}},
		{"Items", func(ctx context.Context, tx store.ReadTx, org firemode.OrgID) (any, error) {
			return rows(store.As[store.ItemReader](tx).Items(ctx, org, "s1", store.ItemFilter{}, everything()))
		}, func(w world) any { return []firemode.Item{w.item} }, []firemode.Item{}},
		{"ItemsByID", func(ctx context.Context, tx store.ReadTx, org firemode.OrgID) (any, error) {
			return store.As[store.ItemReader](tx).ItemsByID(ctx, org, "s1", []firemode.ItemID{"FE-001", "FE-002"})
		}, func(w world) any { return []firemode.Item{w.item} }, []firemode.Item(nil)},
		{"Defect", func(ctx context.Context, tx store.ReadTx, org firemode.OrgID) (any, error) {
			return store.As[store.DefectReader](tx).Defect(ctx, org, "d1")
		}, func(w world) any { return w.defect }, nil},
		{"Defects", func(ctx context.Context, tx store.ReadTx, org firemode.OrgID) (any, error) {
			return rows(store.As[store.DefectReader](tx).Defects(ctx, org, store.DefectFilter{
				VisibleTo: "tech1",
				OwnedBy:   "owner2",
			}, everything()))
		}, func(w world) any { return []firemode.Defect{w.defect} }, []firemode.Defect{}},
		{"DefectsByID", func(ctx context.Context, tx store.ReadTx, org firemode.OrgID) (any, error) {
			return store.As[store.DefectReader](tx).DefectsByID(ctx, org, []firemode.DefectID{"d1", "d2"})
		}, func(w world) any { return []firemode.Defect{w.defect} }, []firemode.Defect(nil)},
	}
}

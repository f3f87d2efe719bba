package storetest

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"

	"firemode"
	"firemode/internal/store"
)

// number returns the number at the end of an id that name made.
func number(t testing.TB, id string) int {
	t.Helper()
	n, err := strconv.Atoi(id[strings.LastIndexByte(id, '-')+1:])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func newBuilding(id firemode.BuildingID, title, address string, owners ...firemode.UserID) firemode.Building {
	return firemode.Building{
		Org: "o", ID: id, Name: title, Address: address, Owners: owners, Status: firemode.BuildingActive, Version: 1,
		CreatedAt: day(0),
	}
}

func createBuildings(t testing.TB, s store.Database, buildings ...firemode.Building) {
	t.Helper()
	update(t, s, func(ctx context.Context, tx store.Tx) error {
		err := createOrg(ctx, tx, "o")
		for _, b := range buildings {
			err = errors.Join(err, store.As[store.BuildingWriter](tx).CreateBuilding(ctx, b))
		}
		return err
	})
}

func buildingIDs(t testing.TB, s store.Database, f store.BuildingFilter) (ids []firemode.BuildingID) {
	t.Helper()
	list := read(t, s, func(ctx context.Context, tx store.ReadTx) ([]firemode.Building, error) {
		return rows(store.As[store.BuildingReader](tx).Buildings(ctx, "o", f, everything()))
	})
	for _, b := range list {
		ids = append(ids, b.ID)
	}
	return ids
}

func buildingTests() []test { return slices.Concat(buildingWriteTests(), buildingListTests()) }

func buildingWriteTests() []test {
	return []test{
		{"an id is taken once, and so are name and address together", func(t *testing.T, s store.Database) {
			createBuildings(t, s, newBuilding("b1", "Harbour Tower", "1 Quay St"), newBuilding("b2", "Harbour Tower",
				"2 Quay St"))
			create := func(b firemode.Building) func(ctx context.Context, tx store.Tx) error {
				return func(ctx context.Context, tx store.Tx) error {
					return store.As[store.BuildingWriter](tx).CreateBuilding(ctx, b)
				}
			}
			taken(t, s, "a building with this id exists already", create(newBuilding("b1", "Other", "Other")))
			const both = "a building of this name and address exists already"
			taken(t, s, both, create(newBuilding("b3", " HARBOUR tower\t", "\n1 quay ST ")))
			taken(t, s, both, func(ctx context.Context, tx store.Tx) error {
				return store.As[store.BuildingWriter](tx).UpdateBuilding(ctx, newBuilding("b2", "harbour tower",
					"1 QUAY ST"))
			})
			// A name that ends where the other's address begins is another name.
			update(t, s, func(ctx context.Context, tx store.Tx) error {
				return store.As[store.BuildingWriter](tx).CreateBuilding(ctx, newBuilding("b4", "Harbour Tower1 Quay",
					"St"))
			})
		}},
		{"UpdateBuilding writes all but what never changes", updateBuilding},
		{"the filters", func(t *testing.T, s store.Database) {
			createBuildings(t, s,
				newBuilding("b1", "Straße 100%", "Under_score", "u1", "u2", "u1"),
				newBuilding("b2", "STRASSE 1000", `Back\slash`, "u2"),
				newBuilding("b3", "ÉCOLE d'été", "Underscore"))
			for _, c := range []struct {
				filter store.BuildingFilter
				want   []firemode.BuildingID
			}{
				{store.BuildingFilter{}, []firemode.BuildingID{"b1", "b2", "b3"}},
				{store.BuildingFilter{Owner: "u1"}, []firemode.BuildingID{"b1"}},
				{store.BuildingFilter{Owner: "u2"}, []firemode.BuildingID{"b1", "b2"}},
				{store.BuildingFilter{Owner: "u3"}, nil},
				{store.BuildingFilter{Text: "100%"}, []firemode.BuildingID{"b1"}},
				{store.BuildingFilter{Text: "under_"}, []firemode.BuildingID{"b1"}},
				{store.BuildingFilter{Text: `\S`}, []firemode.BuildingID{"b2"}},
				{store.BuildingFilter{Text: "école D'ÉTÉ"}, []firemode.BuildingID{"b3"}},
				{store.BuildingFilter{Text: "%"}, []firemode.BuildingID{"b1"}},
				{store.BuildingFilter{Text: "under", Owner: "u1"}, []firemode.BuildingID{"b1"}},
				{store.BuildingFilter{Text: "école", Owner: "u1"}, nil},
			} {
				equal(t, buildingIDs(t, s, c.filter), c.want)
			}
		}},
	}
}

func buildingListTests() []test {
	return []test{
		{"they are listed oldest first", func(t *testing.T, s store.Database) {
			createBuildings(t, s)
			for _, f := range []store.BuildingFilter{{}, {Owner: "u", Text: "building"}} {
				prefix := "b" + string(f.Owner)
				listTest[firemode.Building]{
					add: func(ctx context.Context, tx store.Tx, n int) error {
						b := newBuilding(firemode.BuildingID(name(prefix, n)), name("Building"+prefix, n), "", "u")
						b.CreatedAt = day(n / 3)
						return store.As[store.BuildingWriter](tx).CreateBuilding(ctx, b)
					},
					list: func(ctx context.Context, tx store.ReadTx, p store.Page) ([]store.Keyed[firemode.Building],
						error,
					) {
						return store.As[store.BuildingReader](tx).Buildings(ctx, "o", f, p)
					},
					n: func(b firemode.Building) int {
						if !strings.HasPrefix(string(b.ID), prefix+"-") {
							return 0 // of the other round
						}
						return number(t, string(b.ID))
					},
				}.stable(t, s)
			}
		}},
	}
}

func updateBuilding(t *testing.T, s store.Database) {
	w := newWorld("o")
	b := w.building
	createBuildings(t, s, b)
	b.Name, b.Address, b.Status = "New "+awkward, "", firemode.BuildingArchived
	b.Metadata, b.Owners = map[string]any{}, []firemode.UserID{"owner2", "owner3"}
	asked := b
	asked.CreatedAt, asked.Creation = day(99), nil
	update(t, s, func(ctx context.Context, tx store.Tx) error {
		return store.As[store.BuildingWriter](tx).UpdateBuilding(ctx, asked)
	})
	b.Version = 2
	get := func() firemode.Building {
		return read(t, s, func(ctx context.Context, tx store.ReadTx) (firemode.Building, error) {
			return store.As[store.BuildingReader](tx).Building(ctx, "o", b.ID)
		})
	}
	equal(t, get(), b)
	equal(t, buildingIDs(t, s, store.BuildingFilter{Owner: "owner1"}), nil)
	equal(t, buildingIDs(t, s, store.BuildingFilter{Owner: "owner3", Text: "new"}), []firemode.BuildingID{b.ID})
	refuse(t, s, firemode.CodeChanged, func(ctx context.Context, tx store.Tx) error {
		return store.As[store.BuildingWriter](tx).UpdateBuilding(ctx, asked)
	})
	asked.Org, asked.Version = "o2", 2
	refuse(t, s, firemode.CodeNotFound, func(ctx context.Context, tx store.Tx) error {
		return store.As[store.BuildingWriter](tx).UpdateBuilding(ctx, asked)
	})
	equal(t, get(), b)
}

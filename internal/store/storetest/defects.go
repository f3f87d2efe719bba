package storetest

import (
	"context"
	"errors"
	"testing"

	"firemode"
	"firemode/internal/store"
)

func newDefect(id firemode.DefectID, found int) firemode.Defect {
	return firemode.Defect{
		Org: "o", ID: id, Session: "s-0000", Building: "b", Item: "i", Rule: code, Version: "1.0.0",
		Condition: "pressure_low", Count: "1",
		Status: firemode.DefectOpen, Class: firemode.ClassNonCritical, FoundAt: day(found), Revision: 1,
		UpdatedAt: day(found),
	}
}

func createDefects(t testing.TB, s store.Database, defects ...firemode.Defect) {
	t.Helper()
	createSessions(t, s, 2)
	update(t, s, func(ctx context.Context, tx store.Tx) error {
		x, err := store.As[store.SessionReader](tx).Session(ctx, "o", "s-0001")
		x.Technicians = []firemode.UserID{"t1"}
		b, err2 := store.As[store.BuildingReader](tx).Building(ctx, "o", "b")
		b.Owners = []firemode.UserID{"owner1"}
		return errors.Join(err, err2, store.As[store.SessionWriter](tx).UpdateSession(ctx, x),
			store.As[store.BuildingWriter](tx).UpdateBuilding(ctx, b),
			store.As[store.DefectWriter](tx).SaveDefects(ctx, defects))
	})
}

func defectOf(t testing.TB, s store.Database, id firemode.DefectID) firemode.Defect {
	t.Helper()
	return read(t, s, func(ctx context.Context, tx store.ReadTx) (firemode.Defect, error) {
		return store.As[store.DefectReader](tx).Defect(ctx, "o", id)
	})
}

func defectTests() []test {
	return []test{
		{"SaveDefects adds, and writes what it says of those that exist", saveDefects},
		{"UpdateDefect writes to the revision it was given", func(t *testing.T, s store.Database) {
			d, other := newDefect("d1", 1), newDefect("d2", 1)
			createDefects(t, s, d, other)
			d.Status, d.Note, d.UpdatedAt = firemode.DefectRectified, awkward, day(5)
			update(t, s, func(ctx context.Context, tx store.Tx) error {
				return store.As[store.DefectWriter](tx).UpdateDefect(ctx, d)
			})
			asked := d
			d.Revision = 2
			equal(t, defectOf(t, s, "d1"), d)
			equal(t, defectOf(t, s, "d2"), other)
			refuse(t, s, firemode.CodeChanged, func(ctx context.Context, tx store.Tx) error {
				return store.As[store.DefectWriter](tx).UpdateDefect(ctx, asked)
			})
			asked.ID = "d3"
			refuse(t, s, firemode.CodeNotFound, func(ctx context.Context, tx store.Tx) error {
				return store.As[store.DefectWriter](tx).UpdateDefect(ctx, asked)
			})
		}},
		{"a defect belongs to a session that is there", func(t *testing.T, s store.Database) {
			createSessions(t, s, 0)
			refuse(t, s, firemode.CodeNotFound, func(ctx context.Context, tx store.Tx) error {
				return store.As[store.DefectWriter](tx).SaveDefects(ctx, []firemode.Defect{newDefect("d1", 1)})
			})
		}},
		{"the filters", defectFilters},
		{"they are listed by when they were found", func(t *testing.T, s store.Database) {
			createDefects(t, s)
			listTest[firemode.Defect]{
				add: func(ctx context.Context, tx store.Tx, n int) error {
					return store.As[store.DefectWriter](tx).SaveDefects(ctx,
						[]firemode.Defect{newDefect(firemode.DefectID(name("d", n)), n/3)})
				},
				list: func(ctx context.Context, tx store.ReadTx, p store.Page) ([]store.Keyed[firemode.Defect], error) {
					return store.As[store.DefectReader](tx).Defects(ctx, "o", store.DefectFilter{
						Building: "b",
						OwnedBy:  "owner1", VisibleTo: "t9",
					}, p)
				},
				n: func(d firemode.Defect) int { return number(t, string(d.ID)) },
			}.stable(t, s)
		}},
	}
}

func saveDefects(t *testing.T, s store.Database) {
	d, other := newDefect("d1", 1), newDefect("d2", 1)
	createDefects(t, s, d, other)
	d.Version, d.Count, d.Status, d.Class, d.Note, d.UpdatedAt = "2.0.0", "3", firemode.DefectWithdrawn,
		firemode.ClassCritical, awkward, day(9)
	d.Classifications = newWorld("o").defect.Classifications
	asked := d
	asked.Item, asked.Rule, asked.Condition, asked.FoundBy, asked.FoundAt, asked.Revision = "i2", "r2", "c2", "u2",
		day(77), 40
	third := newDefect("d3", 2)
	update(t, s, func(ctx context.Context, tx store.Tx) error {
		return store.As[store.DefectWriter](tx).SaveDefects(ctx, []firemode.Defect{asked, third})
	})
	d.Revision = 2
	equal(t, defectOf(t, s, "d1"), d)
	equal(t, defectOf(t, s, "d2"), other)
	equal(t, defectOf(t, s, "d3"), third)
}

func defectFilters(t *testing.T, s store.Database) {
	a, b, c := newDefect("a", 3), newDefect("b", 2), newDefect("c", 1)
	b.Status, b.Class = firemode.DefectClosed, firemode.ClassCritical
	c.Session = "s-0001"
	createDefects(t, s, a, b, c)
	for _, f := range []struct {
		filter store.DefectFilter
		want   []firemode.DefectID
	}{
		{store.DefectFilter{}, []firemode.DefectID{"c", "b", "a"}},
		{store.DefectFilter{Building: "b"}, []firemode.DefectID{"c", "b", "a"}},
		{store.DefectFilter{Building: "b2"}, nil},
		{store.DefectFilter{Session: "s-0000"}, []firemode.DefectID{"b", "a"}},
		{store.DefectFilter{NotSession: "s-0000"}, []firemode.DefectID{"c"}},
		{store.DefectFilter{
			Building: "b", NotSession: "s-0001",
			Statuses: []firemode.DefectStatus{firemode.DefectOpen},
		}, []firemode.DefectID{"a"}},
		{
			store.DefectFilter{Statuses: []firemode.DefectStatus{firemode.DefectOpen, firemode.DefectClosed}},
			[]firemode.DefectID{"c", "b", "a"},
		},
		{store.DefectFilter{Statuses: []firemode.DefectStatus{firemode.DefectNotified}}, nil},
		{
			store.DefectFilter{Classes: []firemode.Class{firemode.ClassCritical, firemode.ClassRecommendation}},
			[]firemode.DefectID{"b"},
		},
		{store.DefectFilter{VisibleTo: "t1"}, []firemode.DefectID{"c", "b", "a"}},
		{store.DefectFilter{VisibleTo: "t2"}, []firemode.DefectID{"b", "a"}},
		{store.DefectFilter{OwnedBy: "owner1"}, []firemode.DefectID{"c", "b", "a"}},
		{store.DefectFilter{OwnedBy: "owner2"}, nil},
		{
			store.DefectFilter{
				Building: "b", Session: "s-0000", NotSession: "s-0001", VisibleTo: "t1", OwnedBy: "owner1",
				Statuses: []firemode.DefectStatus{firemode.DefectClosed},
				Classes:  []firemode.Class{firemode.ClassCritical},
			},
			[]firemode.DefectID{"b"},
		},
	} {
		var got []firemode.DefectID
		for _, d := range read(t, s, func(ctx context.Context, tx store.ReadTx) ([]firemode.Defect, error) {
			return rows(store.As[store.DefectReader](tx).Defects(ctx, "o", f.filter, everything()))
		}) {
			got = append(got, d.ID)
		}
		equal(t, got, f.want)
	}
}

package defects_test

import (
	"context"
	"testing"

	"firemode"
	"firemode/internal/defects"
	"firemode/internal/record/recordtest"
	"firemode/internal/store"
)

// Changes of the item E1.
const (
	low    = `{"op":"set","path":"/items/E1/conditions/FE-01/pressure_low","value":true}`
	notLow = `{"op":"remove","path":"/items/E1/conditions/FE-01/pressure_low"}`
)

// world is a session whose results derive defects.
type world struct {
	*recordtest.World
	t       *testing.T
	defects *defects.Service
}

func newWorld(t *testing.T, s store.Database) *world {
	t.Helper()
	w := recordtest.New(t, s, []firemode.ItemID{"E1"}, defects.Consequences{NewID: recordtest.NewID})
	return &world{w, t, defects.New(s, recordtest.NewID)}
}

// manager is a context whose caller may see every defect.
func manager(t *testing.T) context.Context { return recordtest.As(t, "mary", firemode.RoleManager) }

// all returns every defect, the oldest first.
func (w *world) all() (all []firemode.Defect) {
	w.t.Helper()
	rows, err := w.defects.List(manager(w.t), store.DefectFilter{}, store.Page{Limit: 100})
	must(w.t, err)
	for _, r := range rows {
		all = append(all, r.Row)
	}
	return all
}

// only returns the only defect.
func (w *world) only() firemode.Defect {
	w.t.Helper()
	all := w.all()
	if len(all) != 1 {
		w.t.Fatalf("there are %d defects, want 1: %+v", len(all), all)
	}
	return all[0]
}

// alter stores a defect changed by fn, without an audit entry.
func (w *world) alter(id firemode.DefectID, fn func(*firemode.Defect)) {
	w.t.Helper()
	must(w.t, w.Store.Update(w.t.Context(), func(tx store.Tx) error {
		d, err := store.As[store.DefectReader](tx).Defect(w.t.Context(), recordtest.Org, id)
		if err != nil {
			return err
		}
		fn(&d)
		return store.As[store.DefectWriter](tx).UpdateDefect(w.t.Context(), d)
	}))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

package defects_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"firemode"
	"firemode/internal/defects"
	"firemode/internal/record/recordtest"
	"firemode/internal/store"
	"firemode/internal/store/storetest"
	"firemode/internal/store/storetest/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

func TestPatch_Status_OnlyAllowedTransitions(t *testing.T) {
	const (
		open, notified    = firemode.DefectOpen, firemode.DefectNotified
		rectified, closed = firemode.DefectRectified, firemode.DefectClosed
		withdrawn         = firemode.DefectWithdrawn
	)
	allowed := map[firemode.DefectStatus][]firemode.DefectStatus{
		open: {open, notified, rectified, closed}, notified: {open, notified, rectified, closed},
		rectified: {open, rectified, closed}, closed: {open, closed}, withdrawn: {withdrawn},
	}
	all := []firemode.DefectStatus{open, notified, rectified, closed, withdrawn}
	recordtest.OnBothEngines(t, func(t *testing.T, s store.Database) {
		w := newWorld(t, s)
		w.Submit("a", 1, low)
		d := w.only()
		for _, from := range all {
			for _, to := range all {
				w.alter(d.ID, func(d *firemode.Defect) { d.Status = from })
				got, err := w.defects.Patch(manager(t), d.ID, 0, defects.Patch{Status: &to})
				switch may := slices.Contains(allowed[from], to); {
				case may && (err != nil || got.Status != to):
					t.Errorf("%s to %s: status %s, error %v", from, to, got.Status, err)
				case !may && firemode.CodeOf(err) != firemode.CodeConflict:
					t.Errorf("%s to %s: error %v, want a conflict", from, to, err)
				}
			}
		}
	})
}

func TestPatch_Revision_ChangedOnlyIfCurrent(t *testing.T) {
	w := newWorld(t, storetest.OpenSQLite(t))
	w.Submit("a", 1, low)
	d := w.only()
	note := "seen by owner"
	got, err := w.defects.Patch(manager(t), d.ID, d.Revision, defects.Patch{Note: &note})
	if err != nil || got.Note != note || got.Revision != d.Revision+1 || got.Status != firemode.DefectOpen {
		t.Fatalf("%+v, error %v", got, err)
	}
	_, err = w.defects.Patch(manager(t), d.ID, d.Revision, defects.Patch{Note: &note})
	if firemode.CodeOf(err) != firemode.CodeChanged {
		t.Errorf("with the old revision: error %v, want changed", err)
	}
	if stored := w.only(); stored.Revision != got.Revision || stored.Note != note {
		t.Errorf("stored as %+v, returned as %+v", stored, got)
	}
}

func TestPatch_NoteTooLong_Invalid(t *testing.T) {
	w := newWorld(t, storetest.OpenSQLite(t))
	w.Submit("a", 1, low)
	note := strings.Repeat("x", 4001)
	_, err := w.defects.Patch(manager(t), w.only().ID, 0, defects.Patch{Note: &note})
	if firemode.CodeOf(err) != firemode.CodeInvalid {
		t.Errorf("error %v, want invalid", err)
	}
}

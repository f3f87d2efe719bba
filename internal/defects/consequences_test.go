package defects_test

import (
	"strings"
	"testing"

	"firemode"
	"firemode/internal/record/ledger"
	"firemode/internal/record/recordtest"
	"firemode/internal/store"
	"firemode/internal/store/storetest"
)

func TestDerive_ConditionReported_DefectOpenWithAuditEntry(t *testing.T) {
	recordtest.OnBothEngines(t, func(t *testing.T, s store.Database) {
		w := newWorld(t, s)
		w.Submit("a", 1, `{"op":"set","path":"/items/E1/conditions/FE-01/pressure_low","value":3}`)
		d := w.only()
		id := firemode.NewDefectID(recordtest.Session, "E1", "FE-01", "pressure_low")
		if d.ID != id || d.Status != firemode.DefectOpen || d.Count != "3" || d.Class != firemode.ClassNonCritical ||
			d.FoundBy != "tom" || d.Revision != 1 || len(d.Classifications) != 1 {
			t.Errorf("%+v", d)
		}
		entries := w.classified()
		if len(entries) != 1 || entries[0].ID != d.Classifications[0].Audit || entries[0].User != "tom" {
			t.Errorf("audit entries %+v, want one of %+v", entries, d.Classifications)
		}
	})
}

func TestDerive_ConditionRemovedAndReportedLater_WithdrawnAndReopened(t *testing.T) {
	recordtest.OnBothEngines(t, func(t *testing.T, s store.Database) {
		w := newWorld(t, s)
		w.Submit("a", 1, low)
		w.Submit("a", 2, notLow)
		if d := w.only(); d.Status != firemode.DefectWithdrawn || d.Revision != 2 {
			t.Errorf("after the removal: %s, revision %d", d.Status, d.Revision)
		}
		w.Submit("a", 3, low)
		if d := w.only(); d.Status != firemode.DefectOpen || d.Revision != 3 || len(d.Classifications) != 1 {
			t.Errorf("reported later: %s, revision %d, %d classifications", d.Status, d.Revision, len(d.Classifications))
		}
	})
}

func TestDerive_ScopeAnsweredLater_ClassificationAdded(t *testing.T) {
	w := newWorld(t, storetest.OpenSQLite(t))
	w.Submit("a", 1, low)
	w.Submit("a", 2,
		`{"op":"set","path":"/items/E1/override/FE-01/classification","value":"critical_defect"}`,
		`{"op":"set","path":"/items/E1/override/FE-01/reason","value":"only one on the floor"}`)
	d := w.only()
	if len(d.Classifications) != 2 || d.Class != firemode.ClassCritical || d.Classifications[0].Class != firemode.ClassNonCritical {
		t.Errorf("%+v", d.Classifications)
	}
	if n := len(w.classified()); n != 2 {
		t.Errorf("%d audit entries, want 2", n)
	}
}

func TestDerive_SameFindingRepeated_NothingChanges(t *testing.T) {
	w := newWorld(t, storetest.OpenSQLite(t))
	w.Submit("a", 1, low)
	before := w.only()
	w.Submit("a", 2, low)
	if d := w.only(); d.Revision != before.Revision || !d.UpdatedAt.Equal(before.UpdatedAt) || len(w.classified()) != 1 {
		t.Errorf("revision %d at %s, want %d at %s", d.Revision, d.UpdatedAt, before.Revision, before.UpdatedAt)
	}
}

func TestDerive_UnknownRule_NoDefect(t *testing.T) {
	w := newWorld(t, storetest.OpenSQLite(t))
	w.Submit("a", 1, strings.ReplaceAll(low, "FE-01", "XX-01"))
	if all := w.all(); len(all) != 0 {
		t.Errorf("%+v", all)
	}
}

// classified returns the audit entries of classifications.
func (w *world) classified() (list []ledger.AuditEntry) {
	w.t.Helper()
	must(w.t, w.Store.View(w.t.Context(), func(tx store.ReadTx) error {
		return store.As[store.AuditReader](tx).EachAudit(w.t.Context(), recordtest.Org, func(e ledger.AuditEntry) error {
			if e.Action == ledger.ActionClassify {
				list = append(list, e)
			}
			return nil
		})
	}))
	return list
}

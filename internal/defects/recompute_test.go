package defects_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"firemode"
	"firemode/internal/defects"
	"firemode/internal/record/recordtest"
	"firemode/internal/record/verify"
	"firemode/internal/store"
	"firemode/internal/store/storetest"
)

func TestRecomputer_WhatPeopleAndResultsDid_NoDifference(t *testing.T) {
	recordtest.OnBothEngines(t, func(t *testing.T, s store.Database) {
		w := newWorld(t, s)
		w.Submit("a", 1, low)
		w.move(firemode.DefectNotified, "owner called")
		w.Submit("a", 2, notLow)
		w.Submit("a", 3, low)
		w.move(firemode.DefectClosed, "replaced")
		w.wantFound(t)
	})
}

func TestRecomputer_AlteredDefect_Reported(t *testing.T) {
	recordtest.OnBothEngines(t, func(t *testing.T, s store.Database) {
		w := newWorld(t, s)
		w.Submit("a", 1, low)
		id := w.only().ID
		where := "o session visit, defects " + string(id)
		for name, alter := range map[string]func(*firemode.Defect){
			"status": func(d *firemode.Defect) { d.Status = firemode.DefectClosed },
			"note":   func(d *firemode.Defect) { d.Note = "all is well" },
		} {
			before := w.only()
			w.alter(id, alter)
			found := w.differences()
			if !slices.ContainsFunc(found, func(line string) bool { return strings.HasPrefix(line, where+": it is stored as") }) {
				t.Errorf("%s: found %q", name, found)
			}
			w.alter(id, func(d *firemode.Defect) { d.Status, d.Note = before.Status, before.Note })
		}
	})
}

func TestRecomputer_ChangedByNobody_Reported(t *testing.T) {
	w := newWorld(t, storetest.OpenSQLite(t))
	w.Submit("a", 1, low)
	must(t, w.Store.Update(t.Context(), func(tx store.Tx) error {
		by := firemode.Principal{Org: recordtest.Org, User: "mary"}
		return store.AppendActions(t.Context(), tx, by, store.Action{
			ID: "x", Name: "defect.update", Subject: "none",
			Data: map[string]any{"to": "closed", "note": "", "session_id": recordtest.Session, "sequence": 1},
		})
	}))
	w.wantFound(t, "o session visit, defects none: "+
		"the audit log says that a person changed it, and it does not follow from the log")
}

func (w *world) move(to firemode.DefectStatus, note string) {
	w.t.Helper()
	_, err := w.defects.Patch(manager(w.t), w.only().ID, 0, defects.Patch{Status: &to, Note: &note})
	must(w.t, err)
}

func (w *world) wantFound(t *testing.T, want ...string) {
	t.Helper()
	if found := w.differences(); !slices.Equal(found, want) {
		t.Errorf("found %q, want %q", found, want)
	}
}

// differences verifies the organisation.
func (w *world) differences() (found []string) {
	w.t.Helper()
	v := verify.Verifier{
		Store: w.Store, Merge: w.Merge, Key: w.Verifier, Recomputers: []verify.Recomputer{defects.Recomputer{}},
		Report:  func(where, what string) { found = append(found, where+": "+what) },
		Scratch: func(context.Context) (verify.Scratch, error) { return recordtest.Scratch(w.t), nil },
	}
	_, err := v.Run(w.t.Context(), verify.Scope{Org: recordtest.Org})
	must(w.t, err)
	return found
}

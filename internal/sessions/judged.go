package sessions

import (
	"maps"
	"slices"

	"firemode"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// compareDefects compares what follows from the results and, given the audit log, from what people did with a defect since.
func (a *auditor) compareDefects(again store.ReadTx) error {
	stored, err := a.defects(a.tx)
	if err != nil {
		return err
	}
	replayed, err := a.defects(again)
	if err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(stored)) {
		x, y := a.derivedOf(stored[id]), a.derivedOf(replayed[id])
		delete(replayed, id)
		if x != y {
			a.differs("defects "+string(id), "it is stored as %+v and comes out as %+v", x, y)
		}
	}
	a.compareJudgements(stored)
	for id := range replayed {
		a.differs("defects "+string(id), "it is missing")
	}
	return nil
}

func (a *auditor) defects(tx store.ReadTx) (map[firemode.DefectID]firemode.Defect, error) {
	all := map[firemode.DefectID]firemode.Defect{}
	for after := ""; ; {
		rows, err := store.As[store.DefectReader](tx).Defects(a.ctx, a.ref.Org, store.DefectFilter{Session: a.ref.Session}, store.Page{After: after, Limit: itemsAtOnce})
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			all[r.Row.ID] = r.Row
		}
		if len(rows) < itemsAtOnce {
			return all, nil
		}
		after = rows[len(rows)-1].Key
	}
}

// derived is what of a defect follows from the log.
type derived struct {
	ID               firemode.DefectID
	Building         firemode.BuildingID
	Item             firemode.ItemID
	Rule             firemode.RuleCode
	Version          string
	Condition, Count string
	Status           firemode.DefectStatus
	Note             string
	Class            firemode.Class
	Last             firemode.Classification
	FoundBy          firemode.UserID
	FoundAt          int64
	Revision         int64 // one for each time that a result or a person changed it
	UpdatedAt        int64 // of the last of them
}

func (a *auditor) derivedOf(d firemode.Defect) derived {
	out := derived{
		ID: d.ID, Building: d.Building, Item: d.Item, Rule: d.Rule, Version: d.Version, Condition: d.Condition, Count: d.Count,
		Status: d.Status, Note: d.Note, Class: d.Class, FoundBy: d.FoundBy, FoundAt: store.Micros(d.FoundAt),
		Revision: d.Revision, UpdatedAt: store.Micros(d.UpdatedAt),
	}
	if a.Audited == nil {
		out.Note, out.Revision, out.UpdatedAt = "", 0, 0
		if out.Status != firemode.DefectWithdrawn {
			out.Status = firemode.DefectOpen // or what people have made of it
		}
	}
	if n := len(d.Classifications); n > 0 {
		out.Last = d.Classifications[n-1]
		out.Last.Audit, out.Last.At = "", firemode.Classification{}.At
	}
	return out
}

// compareJudgements compares every classification of every defect with the entry of the audit log that was made with it.
func (a *auditor) compareJudgements(stored map[firemode.DefectID]firemode.Defect) {
	if a.Audited == nil {
		return
	}
	left := make(map[firemode.AuditID]ledger.AuditEntry, len(a.told.judged))
	for _, e := range a.told.judged {
		left[e.ID] = e
	}
	for _, id := range slices.Sorted(maps.Keys(stored)) {
		d := stored[id]
		for i, c := range d.Classifications {
			e, ok := left[c.Audit]
			delete(left, c.Audit)
			if !ok || !e.At.Equal(c.At) || !tells(e, judgementOf(d, c)) {
				a.differs("defects "+string(id), "classification %d is not the one that the audit log tells of in %q", i, c.Audit)
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(left)) {
		a.differs("defects", "the classification that audit entry %s tells of is missing", id)
	}
}

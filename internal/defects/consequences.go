package defects

import (
	"context"
	"encoding/json"
	"time"

	"firemode"
	"firemode/internal/record/assess"
	"firemode/internal/record/ledger"
	"firemode/internal/record/merge"
	"firemode/internal/store"
)

// Consequences opens, changes and withdraws defects as results report them. Each new classification
// is added to the defect, with an audit entry of its own.
type Consequences struct {
	NewID func() string // mints ids that sort by time
}

var _ merge.Consequences = Consequences{}

// Derive updates the defects of the assessed items.
func (c Consequences) Derive(ctx context.Context, tx store.Tx, m merge.Merged) ([]ledger.AuditEntry, error) {
	ids := make([]firemode.ItemID, len(m.Items))
	for i, item := range m.Items {
		ids[i] = item.ID
	}
	stored, err := store.As[store.DefectReader](tx).DefectsOfItems(ctx, ledger.RefOf(m.Session), ids)
	if err != nil {
		return nil, err
	}
	d := derivation{
		newID: c.NewID, classify: assess.DerivationOf(m.Session.Format).Classify, session: m.Session, at: m.At,
		stored: map[firemode.DefectID]firemode.Defect{},
	}
	for _, defect := range stored {
		d.stored[defect.ID] = defect
	}
	for _, item := range m.Items {
		d.item(item)
	}
	return d.audits, store.As[store.DefectWriter](tx).SaveDefects(ctx, d.changed)
}

// derivation derives the defects of one session in one transaction.
type derivation struct {
	newID    func() string
	classify func(assess.Finding) firemode.Classification
	session  firemode.Session
	at       time.Time
	stored   map[firemode.DefectID]firemode.Defect

	changed []firemode.Defect
	audits  []ledger.AuditEntry
}

// item opens and updates the defects that the findings of an item report, and withdraws its other
// defects.
func (d *derivation) item(item merge.AssessedItem) {
	reported := map[firemode.DefectID]bool{}
	for _, f := range item.Findings {
		id := firemode.NewDefectID(d.session.ID, item.ID, f.Rule.Code, f.Condition)
		reported[id] = true
		defect, known := d.stored[id]
		if !known {
			defect = d.open(id, item.ID, f)
		}
		if d.update(&defect, f) || !known {
			d.changed = append(d.changed, defect)
		}
	}
	for _, defect := range d.stored {
		if defect.Item == item.ID && !reported[defect.ID] && defect.Status != firemode.DefectWithdrawn {
			defect.Status, defect.UpdatedAt = firemode.DefectWithdrawn, d.at
			d.changed = append(d.changed, defect)
		}
	}
}

func (d *derivation) open(id firemode.DefectID, item firemode.ItemID, f assess.Finding) firemode.Defect {
	found := f.First.Origin.CapturedAt
	if found.IsZero() {
		found = f.First.Origin.ReceivedAt
	}
	return firemode.Defect{
		Org: d.session.Org, ID: id, Session: d.session.ID, Building: d.session.Building, Item: item,
		Rule: f.Rule.Code, Version: f.Rule.Version, Condition: f.Condition, Status: firemode.DefectOpen,
		FoundBy: firemode.UserID(f.First.Origin.User), FoundAt: found, Revision: 1,
	}
}

// update gives a defect the count and class of its finding, and reports whether that changed it.
func (d *derivation) update(defect *firemode.Defect, f assess.Finding) bool {
	changed := defect.Count != f.Count || defect.Status == firemode.DefectWithdrawn
	defect.Count = f.Count
	if defect.Status == firemode.DefectWithdrawn {
		defect.Status = firemode.DefectOpen
	}
	c := d.classify(f)
	n := len(defect.Classifications)
	if n == 0 || !assess.SameClassification(defect.Classifications[n-1], c) {
		c.At, c.Audit = d.at, firemode.AuditID(d.newID())
		defect.Class, defect.Classifications = c.Class, append(defect.Classifications, c)
		d.audits = append(d.audits, classificationEntry(*defect, c))
		changed = true
	}
	if changed {
		defect.UpdatedAt = d.at
	}
	return changed
}

// classificationEntry returns the audit entry of one classification of a defect.
func classificationEntry(d firemode.Defect, c firemode.Classification) ledger.AuditEntry {
	data, _ := json.Marshal(map[string]any{ // strings always marshal
		"session_id": d.Session, "item_id": d.Item, "defect_id": d.ID, "condition": d.Condition, "classification": c.Class,
		"default_classification": c.Default, "basis": c.Basis, "reason": c.Reason, "version": c.Version,
	})
	return ledger.AuditEntry{
		ID: c.Audit, User: d.FoundBy, Action: ledger.ActionClassify, Subject: string(d.Rule), Data: data,
	}
}

package sessions

import (
	"encoding/json"
	"maps"
	"slices"

	"firemode"
	"firemode/internal/crdt"
	"firemode/internal/rules"
)

// derive brings what follows from the document up to date for the touched items: their state, the session's counts, defects.
func (m *merging) derive() error {
	m.countGaps()
	if len(m.touched) == 0 || !m.session.Status.Open() {
		return nil
	}
	book, err := m.svc.Rules.Book(m.ctx, m.ref.Org)
	if err != nil {
		return err
	}
	ids := slices.Sorted(maps.Keys(m.touched))
	if err := m.loadTouched(ids); err != nil {
		return err
	}
	stored, err := m.tx.DefectsOfItems(m.ctx, m.ref, ids)
	if err != nil {
		return err
	}
	defects := map[firemode.DefectID]firemode.Defect{}
	for _, d := range stored {
		defects[d.ID] = d
	}
	var states []firemode.Item
	var changed []firemode.Defect
	for _, id := range ids {
		item := m.items[id]
		var checks []firemode.Check
		if item != nil {
			checks = item.Checks
		}
		r := read(m.state, id, ruleOf(book, item, m.session), checks)
		if item != nil && m.assess(item, r) {
			states = append(states, *item)
		}
		changed = append(changed, m.judgeItem(id, r.findings, defects)...)
	}
	if err := m.tx.SaveItemStates(m.ctx, m.ref.Org, m.ref.Session, states); err != nil {
		return err
	}
	return m.tx.SaveDefects(m.ctx, changed)
}

// loadTouched reads what merging touched beyond what it was asked for: items below a path that was swept.
func (m *merging) loadTouched(ids []firemode.ItemID) error {
	var paths []crdt.Pointer
	for _, id := range ids {
		if !m.whole[id] {
			paths = append(paths, itemPath(id))
		}
	}
	return m.loadPaths(paths)
}

// assess brings the state of an item up to date and reports whether that changed it.
func (m *merging) assess(item *firemode.Item, r record) bool {
	state, missing := r.assess(item.Checks)
	if state == item.State && r.outcome == item.Outcome && slices.Equal(missing, item.Missing) {
		return false
	}
	if state == firemode.ItemDone {
		m.head.Done++
	}
	if item.State == firemode.ItemDone {
		m.head.Done--
	}
	item.State, item.Outcome, item.Missing = state, r.outcome, missing
	return true
}

// countGaps brings the count of actors with a missing number up to date.
func (m *merging) countGaps() {
	for id, was := range m.gapped {
		now := len(m.actors[id].Held.Missing()) > 0
		switch {
		case now && !was:
			m.head.Gaps++
		case was && !now:
			m.head.Gaps--
		}
	}
}

// judgeItem returns the defects of an item that its findings open, change or withdraw.
func (m *merging) judgeItem(id firemode.ItemID, findings []finding, stored map[firemode.DefectID]firemode.Defect) []firemode.Defect {
	var changed []firemode.Defect
	reported := map[firemode.DefectID]bool{}
	for _, f := range findings {
		key := firemode.NewDefectID(m.session.ID, id, f.rule.Code, f.condition)
		reported[key] = true
		d, known := stored[key]
		if !known {
			d = m.newDefect(key, id, f)
		}
		if m.update(&d, f) || !known {
			changed = append(changed, d)
		}
	}
	for _, d := range stored {
		if d.Item == id && !reported[d.ID] && d.Status != firemode.DefectWithdrawn {
			d.Status, d.UpdatedAt = firemode.DefectWithdrawn, m.tx.Now()
			changed = append(changed, d)
		}
	}
	return changed
}

func (m *merging) newDefect(id firemode.DefectID, item firemode.ItemID, f finding) firemode.Defect {
	found := f.first.Origin.CapturedAt
	if found.IsZero() {
		found = f.first.Origin.ReceivedAt
	}
	return firemode.Defect{
		Org: m.ref.Org, ID: id, Session: m.session.ID, Building: m.session.Building, Item: item, Rule: f.rule.Code, Version: f.rule.Version,
		Condition: f.condition, Status: firemode.DefectOpen, FoundBy: firemode.UserID(f.first.Origin.User), FoundAt: found, Revision: 1,
	}
}

// update brings a defect to what its finding says now, and reports whether that changed it. Every new judgement is kept, with an
// audit entry of its own.
func (m *merging) update(d *firemode.Defect, f finding) bool {
	changed := d.Count != f.count || d.Status == firemode.DefectWithdrawn
	d.Count = f.count
	if d.Status == firemode.DefectWithdrawn {
		d.Status = firemode.DefectOpen
	}
	judged := judgeFinding(f)
	if n := len(d.Classifications); n == 0 || !same(d.Classifications[n-1], judged) {
		judged.At, judged.Audit = m.tx.Now(), firemode.AuditID(m.svc.NewID())
		d.Class, d.Classifications = judged.Class, append(d.Classifications, judged)
		m.audits = append(m.audits, judgementOf(*d, judged))
		changed = true
	}
	if changed {
		d.UpdatedAt = m.tx.Now()
	}
	return changed
}

// judgeFinding applies the rule. Answers that the rule cannot use do not hide the finding: it then has its default class, and
// the reason says what was wrong. A condition that the rule does not know is a recommendation until somebody settles it.
func judgeFinding(f finding) firemode.Classification {
	c := firemode.Classification{Rule: f.rule.Code, Version: f.rule.Version}
	judged, err := rules.Judge(f.rule, f.finding)
	if err != nil && !f.unlisted {
		c.Reason = err.Error()
		judged, err = rules.Judge(f.rule, rules.Finding{Condition: f.condition})
	}
	if err != nil {
		c.Class, c.Default, c.Basis = firemode.ClassRecommendation, firemode.ClassRecommendation, rules.BasisDefault
		c.Reason = "the rule does not know this condition"
		return c
	}
	c.Class, c.Default, c.Basis = judged.Class, judged.Default, judged.Basis
	if c.Reason == "" {
		c.Reason = judged.Reason
	}
	return c
}

func same(a, b firemode.Classification) bool {
	return a.Class == b.Class && a.Default == b.Default && a.Basis == b.Basis && a.Reason == b.Reason && a.Version == b.Version
}

// judgementOf is the audit entry of one judgement of a defect.
func judgementOf(d firemode.Defect, c firemode.Classification) firemode.AuditEntry {
	data, _ := json.Marshal(map[string]any{ // strings always marshal
		"session_id": d.Session, "item_id": d.Item, "defect_id": d.ID, "condition": d.Condition, "classification": c.Class,
		"default_classification": c.Default, "basis": c.Basis, "reason": c.Reason, "version": c.Version,
	})
	return firemode.AuditEntry{ID: c.Audit, User: d.FoundBy, Action: actionClassify, Subject: string(d.Rule), Data: data}
}
